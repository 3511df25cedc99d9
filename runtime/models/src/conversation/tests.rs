use super::*;
use crate::config::ModelsConfig;
use crate::reply::Usage;
use crate::wire::Dialect;
use stoa_actors::session::Observation;

fn entry(code: CodeStyle) -> ModelEntry {
    let (entry, _) = ModelsConfig::default().find("anthropic/any").unwrap();
    ModelEntry { code, ..entry }
}

const NAME: &str = "anthropic/any";

fn reply(text: &str) -> ModelReply {
    ModelReply { text: text.to_owned(), ..ModelReply::default() }
}

fn calls(all: &[(&str, &str)]) -> ModelReply {
    let call = |(at, (name, arguments)): (usize, &(&str, &str))| Call {
        id: format!("c{at}"),
        name: (*name).to_owned(),
        arguments: (*arguments).to_owned(),
    };
    ModelReply { calls: all.iter().enumerate().map(call).collect(), ..reply("I look.") }
}

fn of(reply: ModelReply) -> Thought {
    thought_of(reply, &entry(CodeStyle::Fence), NAME, 7)
}

#[test]
fn a_reply_is_a_thought_with_what_it_took() {
    let usage = Usage { input: 100, output: 20, cache_read: 60, ..Usage::default() };
    let thought = of(ModelReply { usage, ..reply("I look.\n```python\n1\n```") });
    assert_eq!((thought.text.as_str(), thought.code.as_deref()), ("I look.", Some("1\n")));
    assert_eq!((thought.tokens, thought.unusable), (120, None));
    let generation = thought.generation.unwrap();
    assert_eq!((generation.model.as_str(), generation.took_ms), (NAME, 7));
    assert_eq!((generation.usage.cache_read, generation.stop.as_str()), (60, "end"));
}

#[test]
fn calls_of_the_one_tool_are_code() {
    let one = of(calls(&[("python", r#"{"code": "x = 1"}"#), ("python", r#"{"code": "x"}"#)]));
    assert_eq!(one.code.as_deref(), Some("x = 1\nx\n"));
    // Whatever says why it ends: what it says counts.
    let stop = ModelReply { stop: Stop::End, ..calls(&[("python", "\"1\"")]) };
    assert_eq!(of(stop).code.as_deref(), Some("1\n"));
}

#[test]
fn what_cannot_be_used_is_told_and_not_run() {
    let cut = |stop| of(ModelReply { stop, ..reply("```python\nspace.erase_all(") });
    for (thought, said) in [
        (cut(Stop::Length), "cut off at its limit of 8192 tokens"),
        (cut(Stop::Window), "window is full"),
        (of(calls(&[("bash", "{}")])), "there is no tool \"bash\""),
        (of(calls(&[("python", "{\"code\": ")])), "are not {\"code\": TEXT}"),
        (of(calls(&[("python", "{\"kode\": \"1\"}")])), "there is no \"code\""),
        (of(calls(&[("python", "{\"code\": 1}")])), "is no text"),
        (of(calls(&[("python", "{\"code\": \" \"}")])), "has no code in it"),
        (of(calls(&[("python", "{\"code\": \"1\"}"), ("bash", "{}")])), "no tool \"bash\""),
    ] {
        assert_eq!(thought.code, None, "{said}");
        assert!(thought.unusable.as_ref().unwrap().contains(said), "{:?}", thought.unusable);
    }
}

#[test]
fn a_fault_is_a_wait_or_another_try_or_a_failure() {
    let of = |kind| error_of(Fault::new(kind, "x"), NAME).unwrap_err().passing.map(|it| it.kind);
    assert_eq!(of(FaultKind::RateLimited), Some(PassingKind::Limited));
    assert_eq!(of(FaultKind::Overloaded), Some(PassingKind::Limited));
    for passes in [FaultKind::Cut, FaultKind::Silent, FaultKind::Network, FaultKind::Server] {
        assert_eq!(of(passes), Some(PassingKind::Failed), "{passes:?}");
    }
    for never in [FaultKind::Key, FaultKind::SpendLimit, FaultKind::Unknown, FaultKind::Invalid] {
        assert_eq!(of(never), None, "{never:?}");
    }
    let long = error_of(Fault::new(FaultKind::TooLong, "x"), NAME).unwrap();
    assert!(long.unusable.unwrap().contains("not taken"));
}

fn window(messages: Vec<WindowMessage>) -> Window {
    Window { system: vec!["be".to_owned()], messages }
}

fn observed(text: &str) -> WindowMessage {
    WindowMessage::Observed(Observation { text: text.to_owned(), failed: None })
}

fn body(dialect: Dialect, window: Window, name: &str) -> String {
    dialect.body(&request_of(window, &entry(CodeStyle::Tool), name)).to_string()
}

#[test]
fn what_was_said_in_a_fence_is_told_again_in_one() {
    let told = WindowMessage::Told("Turn 1.".to_owned());
    let said = WindowMessage::Said(of(reply("I look.\n````python\ns = '''\n```\n'''\n````")));
    let request =
        request_of(window(vec![told, said, observed("")]), &entry(CodeStyle::Fence), NAME);
    let [_, ModelMessage::Assistant(said), ModelMessage::User(seen)] = &request.messages[..] else {
        panic!("{:?}", request.messages)
    };
    assert_eq!(said.text, "I look.\n````python\ns = '''\n```\n'''\n````");
    assert_eq!(thought(&said.text).code.as_deref(), Some("s = '''\n```\n'''\n"));
    let nothing = MessagePart::Text("Observation:\n(it printed nothing)".to_owned());
    assert_eq!(seen, &[nothing]);
    assert!(request.tools.is_empty());
}

#[test]
fn a_call_gets_its_result_whatever_became_of_it() {
    for reply in [
        calls(&[("python", r#"{"code": "1"}"#), ("python", r#"{"code": "2"}"#)]),
        calls(&[("python", "{"), ("bash", "{}")]),
    ] {
        let said = WindowMessage::Said(of(reply));
        let told = WindowMessage::Told("Turn 1.".to_owned());
        let request =
            request_of(window(vec![told, said, observed("2")]), &entry(CodeStyle::Tool), NAME);
        let [_, ModelMessage::Assistant(said), ModelMessage::Results(results)] =
            &request.messages[..]
        else {
            panic!("{:?}", request.messages)
        };
        let ids = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            said.calls.iter().map(|it| it.id.clone()).collect::<Vec<_>>(),
            ids(&["c0", "c1"])
        );
        assert_eq!(results.iter().map(|it| it.id.clone()).collect::<Vec<_>>(), ids(&["c0", "c1"]));
        assert_eq!(results[1].text, "2");
        assert_eq!(request.tools.len(), 1);
    }
}

#[test]
fn signed_reasoning_goes_back_to_the_same_model_alone() {
    let blocks = vec![
        json!({"type": "thinking", "thinking": "hm", "signature": "abc=="}),
        json!({"type": "text", "text": "I look."}),
    ];
    let said = WindowMessage::Said(of(ModelReply { blocks, ..reply("I look.") }));
    let told = || vec![WindowMessage::Told("Turn 1.".to_owned()), said.clone(), observed("x")];
    let own = body(Dialect::Anthropic, window(told()), NAME);
    assert!(own.contains(r#"{"type":"thinking","thinking":"hm","signature":"abc=="}"#), "{own}");
    let other = body(Dialect::Anthropic, window(told()), "anthropic/other");
    assert!(!other.contains("abc==") && other.contains("I look."), "{other}");
}

#[test]
fn a_message_of_nothing_is_not_sent() {
    let silent = WindowMessage::Said(Thought { unusable: Some("x".into()), ..Thought::default() });
    let told = WindowMessage::Told("Turn 1.".to_owned());
    let request =
        request_of(window(vec![told, silent, observed("x")]), &entry(CodeStyle::Fence), NAME);
    assert_eq!(request.messages.len(), 1, "{:?}", request.messages);
}
