//! What a log grants on its host, where nobody trusts the directory.

use super::*;

/// A log that came from somewhere else grants nothing on this machine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tools_and_models_that_a_log_grants_are_inert_until_the_directory_is_trusted() {
    let script = Scripted::new(["```python\nspace.put(web_search('a'))\n```", "done"]);
    let models = || Models::default().with("script", script.clone());
    let tools = || Tools::default().with("web_search", Echo("searched"));
    let place = Place::having(models(), tools()).await;
    let findings = place.root.create_space("findings", "").await.unwrap();
    place.recipe("how", "if wakes:\n    space.put(web_search('b'))").await;
    for (name, model) in [("one", "script"), ("two", "recipe")] {
        let mut spawn = ask("look", name, "how", &[]);
        spawn.spaces = vec![SpaceAsk::to_use("findings", Level::Append)];
        (spawn.tools, spawn.model) = (vec!["web_search".into()], Some(model.into()));
        place.root.spawn(spawn).await.unwrap();
    }
    place.rest().await;
    assert_eq!(place.texts(findings).await, ["searched: a"]);
    let Place { directory, runtime, root } = place;
    runtime.stop().await.unwrap();
    drop((runtime, root));
    let (runtime, root) = open_as(&directory, models(), tools(), HostGrants::Inert).await;
    let place = Place { directory, runtime, root };
    for name in ["one", "two"] {
        place.root.say(name, "go on").await.unwrap();
    }
    place.rest().await;
    assert_eq!(place.texts(findings).await, ["searched: a"], "no tool is called");
    script.assert_complete();
    for (name, what) in [("one", "model \"script\" is not used"), ("two", "tool \"web_search\"")] {
        let why = place.card(name).await.why.unwrap_or_default();
        assert!(why.contains(what) && why.contains("not trusted on this machine"), "{name}: {why}");
    }
    let mut spawn = ask("look", "three", "how", &[]);
    spawn.tools = vec!["web_search".into()];
    let refused = place.root.spawn(spawn).await.unwrap_err();
    assert_eq!(
        (refused.kind, refused.hint.as_deref()),
        (ProblemKind::Forbidden, Some("stoa trust"))
    );
}
