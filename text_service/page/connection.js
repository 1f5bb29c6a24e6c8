// A conversation over /ws/text that survives its connections: queries are sent until their answer is there, messages come
// once and in order, and whoever is cut off connects again.

const WAITS_S = [0.5, 1, 2, 4, 8, 15];
const PING_S = 20;
const MOST_WAITING = 5;

export class Connection {
  // `page` has: status(name), shown(message), writing(isWriting), answered(answer), failed(error, text), notice(code)
  constructor(page, options) {
    this.page = page;
    this.flow = options.flow ?? "";
    this.clientId = options.clientId ?? "";
    this.link = options.link ?? "";
    this.linkDone = options.linkDone ?? (() => {});
    this.keep = options.keep ?? (() => {});
    this.url = options.url;
    this.lastId = "";
    this.known = new Set();
    this.queries = new Map();
    this.failures = 0;
    this.socket = null;
    window.addEventListener("online", () => this.connect());
    window.addEventListener("offline", () => this.page.status("offline"));
    this.connect();
  }

  connect() {
    clearTimeout(this.timer);
    if (this.socket && this.socket.readyState <= WebSocket.OPEN) return;
    const socket = new WebSocket(this.url);
    this.socket = socket;
    this.isWelcome = false;
    socket.addEventListener("open", () => this.hello());
    socket.addEventListener("message", (event) => {
      if (socket === this.socket) this.take(JSON.parse(event.data));
    });
    socket.addEventListener("close", () => {
      if (socket === this.socket) this.lost();
    });
  }

  lost() {
    clearInterval(this.pinging);
    this.socket = null;
    this.page.writing(false);
    this.page.status(navigator.onLine ? "reconnecting" : "offline");
    const wait = WAITS_S[Math.min(this.failures++, WAITS_S.length - 1)];
    this.timer = setTimeout(() => this.connect(), wait * (0.8 + 0.4 * Math.random()) * 1000);
  }

  ping() {
    if (this.missed >= 2) {
      this.socket.close();
      this.lost();
      return;
    }
    this.missed += 1;
    this.send({ type: "ping" });
  }

  ask(text) {
    if (this.queries.size >= MOST_WAITING) return false;
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    const ref = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    this.queries.set(ref, text);
    if (this.isWelcome) this.send({ type: "query", ref, query: text });
    return true;
  }

  rate(messageId, rating, comment) {
    this.send({ type: "feedback", message_id: messageId, rating, ...(comment ? { comment } : {}) });
  }

  forget() {
    this.queries.clear();
    this.send({ type: "forget" });
  }

  hello() {
    const link = this.link ? { link: this.link } : {};
    this.send({ type: "hello", client_id: this.clientId, last_message_id: this.lastId, flow: this.flow, ...link });
  }

  send(frame) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame));
  }

  show(message) {
    this.lastId = message.id;
    if (this.known.has(message.id)) return;
    this.known.add(message.id);
    this.page.shown(message);
  }

  take(frame) {
    switch (frame.type) {
      case "welcome":
        this.failures = 0;
        this.missed = 0;
        this.isWelcome = true;
        this.clientId = frame.client_id;
        this.keep(frame.client_id);
        this.link = "";
        this.linkDone();
        frame.messages.forEach((message) => this.show(message));
        this.page.status("connected");
        this.page.writing(Boolean(frame.pending));
        for (const [ref, query] of this.queries) this.send({ type: "query", ref, query });
        clearInterval(this.pinging);
        this.pinging = setInterval(() => this.ping(), PING_S * 1000);
        break;
      case "pong":
        this.missed = 0;
        break;
      case "accepted":
        this.show({ id: frame.message_id, role: "user", content: this.queries.get(frame.ref) ?? "" });
        break;
      case "message":
        this.show(frame);
        break;
      case "typing":
        this.page.writing(true);
        break;
      case "delta":
        this.page.writing(false);
        this.show({ id: frame.message_id, role: "assistant", content: frame.text });
        break;
      case "answer":
        this.queries.delete(frame.ref);
        this.page.writing(false);
        this.page.answered(frame);
        break;
      case "error": {
        const text = this.queries.get(frame.ref);
        this.queries.delete(frame.ref);
        this.page.writing(false);
        this.page.failed(frame.code, text);
        if (frame.code === "unknown_client") {
          this.clientId = this.lastId = "";
          this.hello();
        }
        break;
      }
      case "notice":
        if (frame.code === "forgotten") {
          this.known.clear();
          this.lastId = "";
        }
        this.page.notice(frame.code);
        break;
    }
  }
}
