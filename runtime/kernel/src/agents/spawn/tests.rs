use super::*;
use crate::limits::Config;
use crate::model::{Model, ModelSource, Models, Recipe};
use crate::runtime::Runtime;
use stoa_actors::trust::HostGrants;

/// A provider that has a model of every name.
#[derive(Debug)]
struct Any;

impl ModelSource for Any {
    fn find(&self, _: &str) -> Result<Arc<dyn Model>, String> {
        Ok(Arc::new(Recipe))
    }
}

#[tokio::test]
async fn who_names_models_at_random_makes_no_rights_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::at(dir.path());
    config.models = Models::default().or_from(Arc::new(Any));
    config.host_grants = HostGrants::Live;
    let runtime = Runtime::open_with(config, crate::kinds()).await.unwrap();
    let root = runtime.caller(ROOT);
    let ask = |model: &str| SpawnAsk {
        task: "be there".into(),
        model: Some(model.to_owned()),
        ..SpawnAsk::default()
    };
    let agent = root.spawn(ask("lab/one")).await.unwrap();
    let held = |name: &str| root.holds(&Subject::Model(name.to_owned()));
    assert!(held("lab/one"));
    let agent = runtime.caller(agent.id);
    for name in ["lab/two", "lab/three"] {
        let refused = agent.spawn(ask(name)).await.unwrap_err();
        assert_eq!(refused.kind, ProblemKind::Forbidden, "{refused}");
        assert!(!held(name), "{name}");
    }
    assert!(agent.spawn(ask("lab/one")).await.is_ok());
}

/// Found by killing the process between a child's birth and the answer to its parent.
#[tokio::test]
async fn a_spawn_that_is_made_again_is_the_same_agent() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = Runtime::open_with(Config::at(dir.path()), crate::kinds()).await.unwrap();
    let root = runtime.caller(ROOT);
    let ids = || {
        let mut made = 0;
        move || {
            made += 1;
            [made; 16]
        }
    };
    let ask =
        SpawnAsk { task: "be there".into(), name: Some("once".into()), ..SpawnAsk::default() };
    let first = root.spawn_with(ask.clone(), Cause::default(), ids()).await.unwrap();
    let again = root.spawn_with(ask, Cause::default(), ids()).await.unwrap();
    assert_eq!(again, first);
    assert_eq!(root.agents().await.unwrap(), [first]);
}

#[tokio::test]
async fn a_model_that_is_only_to_be_handed_on_is_the_childs() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::at(dir.path());
    config.models = Models::default().or_from(Arc::new(Any));
    config.host_grants = HostGrants::Live;
    let runtime = Runtime::open_with(config, crate::kinds()).await.unwrap();
    let ask = |model: Option<&str>, models: &[&str]| SpawnAsk {
        task: "be there".into(),
        model: model.map(str::to_owned),
        models: models.iter().map(|it| (*it).to_owned()).collect(),
        ..SpawnAsk::default()
    };
    let leads = runtime.caller(ROOT).spawn(ask(None, &["lab/one", RECIPE])).await.unwrap();
    assert_eq!(leads.model, RECIPE);
    let leads = runtime.caller(leads.id);
    let child = leads.spawn(ask(Some("lab/one"), &[])).await.unwrap();
    assert_eq!(child.model, "lab/one");
    let refused = leads.spawn(ask(Some("lab/two"), &[])).await.unwrap_err();
    assert_eq!(refused.kind, ProblemKind::Forbidden, "{refused}");
    // Of what it may use itself it has handed nothing on but that.
    let child = runtime.caller(child.id);
    assert!(child.spawn(ask(Some("lab/one"), &[])).await.is_ok());
    assert!(child.spawn(ask(None, &["lab/two"])).await.is_err());
}
