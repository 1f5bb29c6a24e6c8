// The page of the chat: what is written and answered, by `connection.js`.

import { Connection } from "./connection.js";
import { rendered } from "./markdown.js";
import { LANGUAGES, wordsOf } from "./words.js";

const MOST = 2000;
const STORED = "pronto-chat-client";
const asked = new URLSearchParams(location.search);
const language = [asked.get("language"), navigator.language.slice(0, 2)].find((one) => LANGUAGES.includes(one)) ?? "en";
const words = wordsOf(language);
const part = (id) => document.getElementById(id);
const [log, field, form, count, writing, state, status, live] =
  ["log", "field", "form", "count", "writing", "state", "status", "live"].map(part);

const element = (name, attributes, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

const SVG = "http://www.w3.org/2000/svg";
const THUMB = "M7 11v9H4v-9zM7 11l4-8c2 0 3 1 3 3l-1 4h6l-1 8c0 1-1 2-2 2H7";
const icon = (lines) => {
  const [picture, path] = ["svg", "path"].map((name) => document.createElementNS(SVG, name));
  picture.setAttribute("viewBox", "0 0 24 24");
  picture.setAttribute("aria-hidden", "true");
  path.setAttribute("d", lines);
  picture.append(path);
  return picture;
};

const stored = {
  get: () => {
    try { return localStorage.getItem(STORED) ?? ""; } catch { return ""; }
  },
  set: (value) => {
    try {
      if (value) localStorage.setItem(STORED, value);
      else localStorage.removeItem(STORED);
    } catch { /* a browser that keeps nothing begins anew each time */ }
  },
};

const toEnd = () => { log.scrollTop = log.scrollHeight; };
const say = (text) => { live.textContent = text; };

const thumbs = (messageId) => {
  const box = element("div", { class: "thumbs" });
  const buttons = ["up", "down"].map((rating) =>
    element("button", { type: "button", "aria-pressed": "false", "aria-label": words[rating], title: words[rating] },
      icon(THUMB)));
  const rate = (rating, comment) => {
    connection.rate(messageId, rating, comment);
    buttons.forEach((button, index) => button.setAttribute("aria-pressed", String((index === 0) === (rating === "up"))));
    say(words.thanks);
  };
  buttons[0].addEventListener("click", () => {
    box.querySelector("form")?.remove();
    rate("up");
  });
  buttons[1].addEventListener("click", () => {
    rate("down");
    if (box.querySelector("form")) return;
    const text = element("input", { type: "text", maxlength: "1000", "aria-label": words.comment, placeholder: words.comment });
    const comment = element("form", {}, text, element("button", { type: "submit" }, words.send));
    comment.addEventListener("submit", (event) => {
      event.preventDefault();
      rate("down", text.value.trim());
      comment.remove();
      field.focus();
    });
    box.append(comment);
    text.focus();
  });
  box.prepend(...buttons);
  return box;
};

const bubbles = new Map();
const page = {
  status(name) {
    state.className = name;
    status.textContent = words[name];
  },
  shown(message) {
    const isOwn = message.role === "user";
    const who = element("span", { class: "hidden" }, `${isOwn ? words.you : words.bot} : `);
    const text = element("div", { class: "text" });
    if (isOwn) text.textContent = message.content;
    else text.append(rendered(message.content));
    const bubble = element("div", { class: isOwn ? "own" : "bot", "data-id": message.id }, who, text);
    bubbles.set(message.id, bubble);
    document.querySelectorAll(".waits").forEach((one) => {
      if (isOwn && one.textContent === message.content) one.remove();
    });
    const first = log.querySelector(".waits");
    log.insertBefore(bubble, first);
    toEnd();
  },
  writing(isWriting) {
    writing.hidden = !isWriting;
    toEnd();
  },
  answered(answer) {
    const bubble = bubbles.get(answer.message_id);
    if (bubble && !bubble.querySelector(".thumbs")) bubble.append(thumbs(answer.message_id));
    if (answer.ended) note(words[answer.ended] ?? words.bot_hung_up);
    toEnd();
  },
  failed(code, text) {
    document.querySelectorAll(".waits").forEach((one) => one.textContent === text && one.remove());
    const box = note(words[code] ?? words.error);
    if (text && code !== "query_too_long") {
      const again = element("button", { type: "button" }, words.again);
      again.addEventListener("click", () => {
        box.remove();
        ask(text);
        field.focus();
      });
      box.append(" ", again);
    }
  },
  notice(code) {
    if (code === "away" || code === "there") {
      document.querySelectorAll(".away").forEach((one) => one.remove());
      page.status(code === "away" ? "delayed" : "connected");
    }
    if (code === "away") note(words.away).classList.add("away");
    if (code === "person_left") note(words.person_left);
    if (code !== "forgotten") return;
    log.replaceChildren();
    bubbles.clear();
    say(words.forgotten);
  },
};

const note = (text) => {
  const box = element("div", { class: "note", role: "status" }, text);
  log.append(box);
  toEnd();
  return box;
};

const ask = (text) => {
  if (!connection.ask(text)) {
    note(words.full);
    return false;
  }
  log.append(element("div", { class: "own waits" }, text));
  toEnd();
  return true;
};

const counted = () => {
  const left = MOST - field.value.length;
  count.textContent = left <= MOST / 5 ? words.left(left) : "";
  field.style.height = "auto";
  field.style.height = `${Math.min(field.scrollHeight + 2, 140)}px`;
};

document.documentElement.lang = language;
document.title = words.title;
part("title").textContent = words.title;
part("about").textContent = words.notice;
log.setAttribute("aria-label", words.log);
part("label").textContent = words.field;
field.placeholder = words.field;
field.maxLength = MOST;
writing.textContent = words.writing;
for (const [id, word] of [["send", words.send], ["fresh", words.fresh], ["close", words.close]]) {
  part(id).setAttribute("aria-label", word);
  part(id).title = word;
}
const close = () => parent.postMessage("pronto-chat-close", "*");
part("close").hidden = !asked.has("embedded");
part("close").addEventListener("click", close);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && asked.has("embedded")) close();
});
part("fresh").addEventListener("click", () => {
  connection.forget();
  field.focus();
});
field.addEventListener("input", counted);
field.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    form.requestSubmit();
  }
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = field.value.trim();
  if (!text || !ask(text)) return;
  field.value = "";
  counted();
});

const connection = new Connection(page, {
  url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/text`,
  clientId: stored.get(),
  keep: stored.set,
  flow: asked.get("flow") ?? "",
  link: new URLSearchParams(location.hash.slice(1)).get("go") ?? "",
  linkDone: () => location.hash && history.replaceState(null, "", location.pathname + location.search),
});
field.focus();
