//! Sessions and messages.

use anyhow::Result;
use reef_store::message::Follow;
use reef_store::session::{RemoveFromLists, Sample};
use serde_json::{Value, json};

use super::list;
use crate::scripts::driver::{Driver, text};

pub(super) async fn ask(driver: &Driver) -> Result<()> {
    let nothing = &Value::Null;
    for i in 0..driver.many {
        let body = json!({"session_id": format!("sess-{i}"), "user_id": "ada"});
        driver.ask("POST", "/sessions", &body).await?;
        driver.get(&format!("/sessions/sess-{i}")).await?;
    }
    list(driver, "/sessions").await?;
    list(driver, "/sessions?user_id=ada").await?;
    let mut ids = Vec::new();
    for i in 0..driver.many {
        let path = format!("/sessions/sess-0/messages/m-{i}");
        driver.ask("PUT", &path, &json!({"role": "assistant"})).await?;
        driver.ask("PUT", &path, &json!({"role": "assistant"})).await?;
        let sent = json!({"content": "Where were we?"});
        let sent = driver.ask("POST", "/sessions/sess-1/messages", &sent).await?;
        ids.push(text(&sent["assistant_message_id"])?);
    }
    let delta = json!({"delta": "and so it goes on, "});
    for _ in 0..4 {
        for i in 0..driver.many {
            driver.ask("POST", &format!("/messages/m-{i}/append"), &delta).await?;
        }
    }
    driver.case("by a producer");
    for i in 0..driver.many {
        let producer = json!({"id": "model", "epoch": 0, "seq": 0});
        let body = json!({"delta": "and so it goes on, ", "producer": producer});
        driver.ask("POST", &format!("/messages/m-{i}/append"), &body).await?;
    }
    driver.case("256 KB");
    for id in &ids {
        let body = json!({"delta": "0123456789abcde ".repeat(16_384)});
        driver.ask("POST", &format!("/messages/{id}/append"), &body).await?;
        driver.get(&format!("/messages/{id}")).await?;
    }
    driver.case("");
    for i in 0..driver.many {
        let message = format!("/messages/m-{i}");
        let block =
            json!({"content_type": "code", "code": {"code": "let x = 1;", "language": "rust"}});
        let made = driver.ask("POST", &format!("{message}/content"), &block).await?;
        let content_id = text(&made["content_id"])?;
        driver.get(&format!("{message}/content/{content_id}")).await?;
        let task = json!({"task_id": "t", "task_type": "image_generation"});
        driver.ask("POST", &format!("{message}/tasks"), &task).await?;
        let progress = json!({"status": "processing", "progress": 0.5});
        driver.ask("PATCH", &format!("{message}/tasks/t"), &progress).await?;
        driver.get(&message).await?;
        let follow = Follow {
            message_id: &format!("m-{i}").as_str().into(),
            session_id: &"sess-0".into(),
            cursor: &reef_domain::message::Cursor::Begin,
            limit: 100,
        };
        driver.store().call(&follow).await?;
    }
    list(driver, "/messages/m-0/events").await?;
    list(driver, "/sessions/sess-0/messages").await?;
    for i in 0..driver.many {
        driver.ask("POST", &format!("/messages/m-{i}/complete"), nothing).await?;
        let sample = Sample { owner: "@admin", most: 100 };
        driver.store().call(&sample).await?;
        let ids = &["no-session".into()];
        let removed = RemoveFromLists { user_id: None, owner: Some("@admin"), session_ids: ids };
        driver.store().call(&removed).await?;
    }
    driver.ask("DELETE", "/sessions/sess-0/messages?keep_days=0", nothing).await?;
    for i in 2..driver.many {
        driver.ask("DELETE", &format!("/sessions/sess-{i}"), nothing).await?;
    }
    Ok(())
}
