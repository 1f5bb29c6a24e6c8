// The page of a call: its state, what both sides said, the level of the microphone; `phone.js` makes the call.

import { Phone } from "./phone.js";
import { LANGUAGES, wordsOf } from "./words.js";

const KEYS = "123456789*0#";
const asked = new URLSearchParams(location.search);
const language = [asked.get("language"), navigator.language.slice(0, 2)].find((one) => LANGUAGES.includes(one)) ?? "en";
const words = wordsOf(language);
const part = (id) => document.getElementById(id);
const [log, state, status, timer, trouble, level, answer, keys] =
  ["log", "state", "status", "timer", "trouble", "level", "answer", "keys"].map(part);
const inCall = ["mute", "keypad", "end"].map(part);

let began = 0;
let ticking = 0;
let guessed = null;

const line = (who, text) => {
  const name = document.createElement("span");
  name.className = "who";
  name.textContent = words[who];
  const box = document.createElement("p");
  box.className = who;
  box.append(name, document.createTextNode(text));
  log.append(box);
  log.scrollTop = log.scrollHeight;
  return box;
};

const showTime = () => {
  const seconds = Math.floor((Date.now() - began) / 1000);
  timer.textContent = ` ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
};

const show = (name) => {
  state.className = name;
  status.textContent = words[name] ?? words.ended;
};

const page = {
  state(name) {
    show(name);
    if (name === "connecting") {
      trouble.textContent = "";
      log.replaceChildren();
      guessed = null;
      part("call").hidden = true;
      part("end").hidden = false;
    } else if (!ticking) {
      began = Date.now();
      showTime();
      ticking = setInterval(showTime, 500);
      inCall.forEach((one) => { one.hidden = false; });
    }
  },
  said(text) {
    line("bot", text);
  },
  guess(text) {
    guessed ??= line("you", "");
    guessed.lastChild.textContent = text;
    guessed.classList.add("guess");
  },
  heard(text) {
    if (guessed) {
      guessed.lastChild.textContent = text;
      guessed.classList.remove("guess");
    } else {
      line("you", text);
    }
    guessed = null;
  },
  turn(ms) {
    answer.textContent = words.answered(ms);
  },
  level(loudest) {
    level.value = Math.sqrt(loudest);
  },
  ended(reason) {
    clearInterval(ticking);
    ticking = 0;
    guessed?.remove();
    guessed = null;
    const isHandedOver = reason === "transferred";
    show(isHandedOver ? "transferred" : "ended");
    trouble.textContent = words.why[reason] ?? words.why.error;
    inCall.forEach((one) => { one.hidden = true; });
    keys.hidden = true;
    muted(false);
    part("call").hidden = false;
    part("call").textContent = words.again;
    part("call").focus();
  },
};

const muted = (isMuted) => {
  part("mute").setAttribute("aria-pressed", String(isMuted));
  phone.mute(isMuted);
};

const phone = new Phone(page, {
  url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/call`,
  flow: asked.get("flow") ?? "",
  worklet: new URL("sound.js", import.meta.url),
});

document.documentElement.lang = language;
document.title = words.title;
part("title").textContent = words.title;
part("about").textContent = words.notice;
log.setAttribute("aria-label", words.log);
part("meter_label").textContent = words.level;
for (const id of ["call", "mute", "keypad", "end"]) part(id).textContent = words[id];
show("idle");
keys.setAttribute("aria-label", words.keypad);
for (const digit of KEYS) {
  const key = document.createElement("button");
  key.type = "button";
  key.textContent = digit;
  key.addEventListener("click", () => phone.press(digit));
  keys.append(key);
}
part("call").addEventListener("click", () => phone.call());
part("end").addEventListener("click", () => phone.hangUp());
part("mute").addEventListener("click", () => muted(!phone.isMuted));
part("keypad").addEventListener("click", () => {
  keys.hidden = !keys.hidden;
  part("keypad").setAttribute("aria-expanded", String(!keys.hidden));
});
addEventListener("pagehide", () => phone.socket && phone.hangUp());
