// The chat for any page: <script src="https://bot.example/chat/chat.js" data-flow="fr/heating" data-language="fr" defer></script>
// A button, and behind it the chat in a frame of the bot's own site: neither page reads the other. The page that has it
// needs `script-src` and `frame-src` of that site in its Content-Security-Policy, nothing inline.
(() => {
  "use strict";
  const script = document.currentScript;
  const site = new URL(script.src).origin;
  const LABELS = {
    fr: ["Ouvrir la discussion", "Fermer la discussion", "Discussion"],
    it: ["Apri la chat", "Chiudi la chat", "Chat"],
    en: ["Open the chat", "Close the chat", "Chat"],
  };
  const wanted = script.dataset.language || document.documentElement.lang.slice(0, 2);
  const language = wanted in LABELS ? wanted : "en";
  const [open, close, title] = LABELS[language];
  const colour = /^#[0-9a-f]{6}$/i.test(script.dataset.colour || "") ? script.dataset.colour : "#1f4e79";

  const style = (element, rules) => Object.assign(element.style, rules);
  const button = document.createElement("button");
  button.type = "button";
  const [picture, path] = ["svg", "path"].map((name) => document.createElementNS("http://www.w3.org/2000/svg", name));
  picture.setAttribute("viewBox", "0 0 24 24");
  picture.setAttribute("aria-hidden", "true");
  path.setAttribute("d", "M4 5h16v11H10l-5 4v-4H4zM8 9h8M8 12h5");
  picture.append(path);
  button.append(picture);
  button.id = "pronto-chat-button";
  style(button, {
    position: "fixed", right: "16px", bottom: "16px", width: "56px", height: "56px", borderRadius: "28px",
    border: "2px solid #fff", background: colour, color: "#fff", padding: "0", cursor: "pointer", zIndex: "2147483646",
  });
  style(picture, { width: "28px", height: "28px", display: "block", margin: "auto" });
  style(path, { fill: "none", stroke: "currentColor", strokeWidth: "2", strokeLinejoin: "round", strokeLinecap: "round" });
  let frame = null;

  const layOut = () => {
    if (!frame) return;
    const isSmall = window.innerWidth < 480;
    style(frame, isSmall
      ? { inset: "0", width: "100%", height: "100%", borderRadius: "0" }
      : { inset: "auto 16px 84px auto", width: "380px", height: "min(600px, calc(100% - 100px))", borderRadius: "12px" });
  };
  const show = (isOpen) => {
    if (isOpen && !frame) {
      frame = document.createElement("iframe");
      const query = new URLSearchParams({ language, embedded: "1" });
      if (script.dataset.flow) query.set("flow", script.dataset.flow);
      frame.src = `${site}/chat/page.html?${query}`;
      frame.title = title;
      frame.id = "pronto-chat-frame";
      style(frame, {
        position: "fixed", border: "0", boxShadow: "0 4px 24px rgba(0,0,0,.35)", zIndex: "2147483647", background: "#fff",
      });
      document.body.append(frame);
    }
    if (frame) frame.hidden = !isOpen;
    if (frame) frame.style.display = isOpen ? "block" : "none";
    layOut();
    button.setAttribute("aria-expanded", String(isOpen));
    button.setAttribute("aria-label", isOpen ? close : open);
    if (isOpen) frame.focus();
    else if (frame) button.focus();
  };
  button.addEventListener("click", () => show(button.getAttribute("aria-expanded") !== "true"));
  window.addEventListener("resize", layOut);
  window.addEventListener("message", (event) => {
    if (frame && event.source === frame.contentWindow && event.origin === site && event.data === "pronto-chat-close") show(false);
  });
  button.setAttribute("aria-expanded", "false");
  button.setAttribute("aria-label", open);
  const begin = () => document.body.append(button);
  if (document.body) begin();
  else document.addEventListener("DOMContentLoaded", begin);
})();
