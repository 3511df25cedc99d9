use super::*;
use crate::id::{Position, SessionId, SpaceId};
use crate::rights::Level;
use crate::session::{Budget, Observation, thought};
use crate::space::Wake;

fn context() -> Context {
    Context {
        session: SessionId([7; 16]),
        turn: 1,
        step: 1,
        task: " Water the plants.\n".to_owned(),
        instructions: vec!["Be brief.\n".to_owned(), "Say when you are done.".to_owned()],
        reference: "space.get(id)\n".into(),
        tools: vec!["weather(place)".to_owned()],
        spaces: vec![Card {
            alias: "garden".to_owned(),
            id: SpaceId([2; 16]),
            level: Level::Write,
            description: "One atom for each plant.".to_owned(),
        }],
        more_spaces: true,
        wakes: Vec::new(),
        steps: Vec::new(),
        left: Budget::default(),
    }
}

fn wake(comment: &str) -> Wake {
    let (space, comments) = (SpaceId([2; 16]), vec![comment.to_owned()]);
    Wake { space, first: Position(3), last: Position(5), count: 2, comments, hop: 0 }
}

#[test]
fn a_model_is_told_what_it_may_know() {
    let told = window(&context(), CodeStyle::Fence);
    let system = told.system.join("\n\n");
    for part in [
        "```python",
        "space.get(id)\nTools:\nweather(place)",
        "# Your task\nWater the plants.\n",
        "# Your instructions\nBe brief.\n\nSay when you are done.",
        "## garden (write)\nOne atom for each plant.",
        "coordinator.space(NAME)",
    ] {
        assert!(system.contains(part), "{part} in {system}");
    }
    let begin = WindowMessage::Told("Turn 1. Begin with your task.".to_owned());
    assert_eq!(told.messages, [begin]);
    assert!(window(&context(), CodeStyle::Tool).system[0].contains("Call the tool `python`"));
}

#[test]
fn what_happens_is_added_behind_what_stands() {
    let first = context();
    let woken = Context { turn: 2, wakes: vec![("garden".into(), wake("watered"))], ..context() };
    let told = window(&woken, CodeStyle::Fence);
    let text = "Turn 2.\nNew in garden: 2\n- watered";
    assert_eq!(told.messages, [WindowMessage::Told(text.to_owned())]);
    assert_eq!(told.system, window(&first, CodeStyle::Fence).system);
    let thought = thought("I look.\n```python\n1\n```");
    let observation = Observation { text: "1".to_owned(), failed: None };
    let steps = vec![Exchange { thought: thought.clone(), observation: observation.clone() }];
    let next = window(&Context { step: 2, steps, ..woken }, CodeStyle::Fence);
    assert_eq!(next.system, told.system);
    assert_eq!(next.messages[..1], told.messages);
    let since = [WindowMessage::Said(thought), WindowMessage::Observed(observation)];
    assert_eq!(next.messages[1..], since);
}
