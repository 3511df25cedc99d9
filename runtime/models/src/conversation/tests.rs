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
    ModelReply { text: text.to_owned(), took_ms: 7, ..ModelReply::default() }
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
    thought_of(reply, &entry(CodeStyle::Fence)).unwrap()
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
        (cut(Stop::Unsaid), "ended before it was complete (unsaid)"),
        (cut(Stop::Paused), "ended before it was complete (paused)"),
        (cut(Stop::Other("abort".into())), "ended before it was complete (abort)"),
        (of(reply(&"x".repeat(SAID_BYTES_MAX + 1))), "no more than 1048576 are read"),
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
fn what_is_whole_is_taken_though_nobody_says_so_and_a_refusal_is_a_failure() {
    let unsaid = |text: &str| of(ModelReply { stop: Stop::Unsaid, ..reply(text) });
    assert_eq!(unsaid("```python\n1\n```").code.as_deref(), Some("1\n"));
    assert_eq!(unsaid("Done.").unusable, None);
    let whole = ModelReply { stop: Stop::Unsaid, ..calls(&[("python", "{\"code\": \"1\"}")]) };
    assert_eq!(of(whole).code.as_deref(), Some("1\n"));
    let half = ModelReply { stop: Stop::Unsaid, ..calls(&[("python", "{\"code\": \"1")]) };
    assert!(of(half).unusable.is_some());
    let refused = ModelReply { stop: Stop::Refused, ..reply("I will not.\n```python\n1\n```") };
    let error = thought_of(refused, &entry(CodeStyle::Fence)).unwrap_err();
    assert!(error.text.contains("refuses to answer: I will not") && error.remedy.is_none());
}

#[test]
fn a_fault_is_a_wait_or_another_try_or_a_failure() {
    let of = |kind| error_of(Fault::new(kind, "x"), NAME).unwrap_err().passes().map(|it| it.kind);
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
    Window { system: vec!["be".to_owned()], messages, measured: None }
}

fn observed(text: &str) -> WindowMessage {
    WindowMessage::Observed(Observation { text: text.to_owned(), failed: None })
}

fn body(dialect: Dialect, window: Window, model: &str) -> String {
    let entry = ModelEntry { name: model.to_owned(), ..entry(CodeStyle::Tool) };
    dialect.body(&request_of(window, &entry)).to_string()
}

#[test]
fn what_was_said_in_a_fence_is_told_again_in_one() {
    let told = WindowMessage::Told("Turn 1.".to_owned());
    let said = WindowMessage::Said(of(reply("I look.\n````python\ns = '''\n```\n'''\n````")));
    let request = request_of(window(vec![told, said, observed("")]), &entry(CodeStyle::Fence));
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
    let of_window = |reply| {
        let said = WindowMessage::Said(of(reply));
        let told = WindowMessage::Told("Turn 1.".to_owned());
        request_of(window(vec![told, said, observed("2")]), &entry(CodeStyle::Tool)).messages
    };
    let two = [("python", r#"{"code": "1"}"#), ("python", r#"{"code": "2"}"#)];
    let [_, ModelMessage::Assistant(said), ModelMessage::Results(results)] =
        &of_window(calls(&two))[..]
    else {
        panic!("a call has no result")
    };
    let ids: Vec<&str> = said.calls.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids, ["c0", "c1"]);
    let ids: Vec<&str> = results.iter().map(|it| it.id.as_str()).collect();
    assert_eq!((ids, results[1].text.as_str()), (vec!["c0", "c1"], "2"));
    // What nobody can read is not told again, and has no result.
    let [_, ModelMessage::Assistant(said), ModelMessage::User(_)] =
        &of_window(calls(&[("python", "{"), ("bash", "{}")]))[..]
    else {
        panic!("half a call is told again")
    };
    assert_eq!((said.text.as_str(), said.calls.len()), ("I look.", 0));
}

#[test]
fn signed_reasoning_goes_back_to_the_same_model_alone() {
    let blocks = vec![
        json!({"type": "thinking", "thinking": "hm", "signature": "abc=="}),
        json!({"type": "text", "text": "I look."}),
    ];
    let said = WindowMessage::Said(of(ModelReply { blocks, ..reply("I look.") }));
    let told = || vec![WindowMessage::Told("Turn 1.".to_owned()), said.clone(), observed("x")];
    let own = body(Dialect::Anthropic, window(told()), "any");
    assert!(own.contains(r#"{"type":"thinking","thinking":"hm","signature":"abc=="}"#), "{own}");
    let other = body(Dialect::Anthropic, window(told()), "other");
    assert!(!other.contains("abc==") && other.contains("I look."), "{other}");
}

#[test]
fn a_message_of_nothing_is_not_sent() {
    let silent = WindowMessage::Said(Thought { unusable: Some("x".into()), ..Thought::default() });
    let told = WindowMessage::Told("Turn 1.".to_owned());
    let request = request_of(window(vec![told, silent, observed("x")]), &entry(CodeStyle::Fence));
    assert_eq!(request.messages.len(), 1, "{:?}", request.messages);
}
