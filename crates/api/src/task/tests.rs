use serde_json::json;

use super::*;

#[test]
fn what_is_told_beside_a_task_is_read_with_it() {
    let task = json!({"task_id": "t", "parameters": {"a": 1}, "timeout": 2.5, "routable": true,
        "token": "1-x"});
    let text = task.to_string();
    let submitted: SubmittedTask = serde_json::from_str(&text).unwrap();
    assert!(submitted.routable && submitted.task.timeout.ms == 2500);
    assert_eq!(submitted.task.parameters.get(), r#"{"a":1}"#);
    // As a reader of answers of which a part is broken has it.
    let claimed: ClaimedTask = serde_json::from_value(task).unwrap();
    assert_eq!((claimed.token.as_str(), claimed.task.task_id.as_str()), ("1-x", "t"));
    assert!(serde_json::from_str::<ClaimedTask>(r#"{"task_id":"t"}"#).is_err());
}
