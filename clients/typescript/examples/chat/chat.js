// A chat whose answers outlive a reload: nothing of it is kept here but the session's name. What was
// said, and how far an answer has come, the hub knows; an answer goes on being written meanwhile.

import { Reef } from "reef-agents";

const $ = (id) => document.getElementById(id);

// For this tab only. Use the key of an agent, never the admin's: whoever uses the page has it.
const key = sessionStorage.getItem("hub-key");
if (key) {
  chat(new Reef(sessionStorage.getItem("hub"), { key })).catch(say);
} else {
  $("enter").hidden = false;
  $("enter").onsubmit = (event) => {
    event.preventDefault();
    sessionStorage.setItem("hub", $("hub").value);
    sessionStorage.setItem("hub-key", $("key").value);
    location.reload();
  };
}

async function chat(reef) {
  // In the address, so that a link to the page is one to the conversation.
  if (!location.hash) location.hash = (await reef.sessions.create()).id;
  const session = reef.session(location.hash.slice(1));

  let last;
  for await (const message of session.messages()) {
    last = message;
    const item = show(message.role, message.text);
    // From the text that is there by now, event by event.
    if (!message.is_complete) follow(session.message(message.message_id), item, String(message.sequence));
  }
  // The page was left between the question and the task.
  if (last?.role === "user") await ask(last.message_id, last.text);

  $("say").hidden = false;
  $("text").focus();
  $("say").onsubmit = async (event) => {
    event.preventDefault();
    const text = $("text").value;
    $("text").value = "";
    try {
      show("user", text);
      const { id } = await session.add(text);
      await ask(id, text);
    } catch (error) {
      say(error);
    }
  };

  async function ask(id, text) {
    // Under a key of the question's, so that it is asked once, however often the page is loaded.
    const { answer } = await session.ask(text, { required_skills: ["chat"] }, { idempotencyKey: `answer-${id}` });
    follow(answer, show("assistant", ""), "0");
  }
}

async function follow(answer, item, after) {
  item.setAttribute("aria-busy", "true");
  try {
    for await (const event of answer.stream({ after })) {
      if (event.snapshot) item.textContent = event.snapshot.text;
      else item.append(event.delta);
      if (event.type === "error") item.append(` (${event.event.payload.error})`);
    }
  } catch (error) {
    say(error);
  }
  item.removeAttribute("aria-busy");
}

function show(role, text) {
  const item = document.createElement("li");
  item.className = role;
  item.textContent = text;
  $("messages").append(item);
  item.scrollIntoView({ block: "end" });
  return item;
}

function say(error) {
  $("state").textContent = error.message ?? String(error);
  // A key that is no longer good is asked for anew.
  if (error.status === 401) sessionStorage.removeItem("hub-key");
}
