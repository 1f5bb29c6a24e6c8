// One call at a time over /ws/call: the microphone goes up, what the bot says comes down, and a stop empties the queue.

const MISSED_PINGS = 3;
const MICROPHONE = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
const REFUSED = { NotAllowedError: "denied", SecurityError: "denied", NotFoundError: "no_microphone", NotReadableError: "microphone_taken" };

export class Phone {
  // `page` has: state(name), said(text), heard(text), guess(text), turn(ms), level(part), ended(reason)
  constructor(page, options) {
    this.page = page;
    this.url = options.url;
    this.flow = options.flow ?? "";
    this.worklet = options.worklet;
    this.isMuted = false;
  }

  async call() {
    if (this.stream || this.isOpening) return;
    this.isOpening = true;
    this.isMuted = false;
    this.page.state("connecting");
    try {
      await this.open();
    } catch (error) {
      this.over(REFUSED[error.name] ?? "error");
    } finally {
      this.isOpening = false;
    }
  }

  async open() {
    if (!navigator.mediaDevices?.getUserMedia) {
      this.over("insecure");
      return;
    }
    this.stream = await navigator.mediaDevices.getUserMedia({ audio: MICROPHONE });
    this.context = new AudioContext({ latencyHint: "interactive" });
    await this.context.audioWorklet.addModule(this.worklet);
    await this.context.resume();
    this.microphone = new AudioWorkletNode(this.context, "pronto-microphone");
    this.playback = new AudioWorkletNode(this.context, "pronto-playback", { outputChannelCount: [1] });
    this.context.createMediaStreamSource(this.stream).connect(this.microphone);
    this.microphone.connect(this.context.destination); // it gives silence; what leads nowhere is not run
    this.playback.connect(this.context.destination);
    this.microphone.port.onmessage = (event) => this.send(event.data);
    this.playback.port.onmessage = ({ data }) => {
      if (data.flushed === undefined) this.tell("played", { number: data.played });
      else this.tell("flushed", { number: data.played, until: data.flushed });
    };
    this.stream.getAudioTracks()[0].addEventListener("ended", () => this.over("microphone_taken"));
    this.connect();
  }

  connect() {
    const socket = new WebSocket(this.url);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.number = 0;
    this.isWelcome = false;
    socket.addEventListener("open", () => this.tell("hello", { flow: this.flow }));
    socket.addEventListener("message", (event) => {
      if (socket !== this.socket) return;
      this.cameAt = performance.now();
      if (typeof event.data === "string") this.take(JSON.parse(event.data));
      else this.play(event.data);
    });
    socket.addEventListener("close", () => socket === this.socket && this.over("lost"));
  }

  send(pcm) {
    if (!this.isWelcome || this.socket?.readyState !== WebSocket.OPEN) return;
    const frame = new Uint8Array(4 + pcm.byteLength);
    new DataView(frame.buffer).setUint32(0, this.number, true);
    frame.set(new Uint8Array(pcm), 4);
    this.socket.send(frame);
    this.number += 1;
    const loudest = new Int16Array(pcm).reduce((most, one) => Math.max(most, Math.abs(one)), 0);
    this.page.level(loudest / 32768);
  }

  play(frame) {
    this.playback.port.postMessage({ number: new DataView(frame).getUint32(0, true), pcm: frame.slice(4) });
  }

  tell(type, fields = {}) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ type, ...fields }));
  }

  take(frame) {
    switch (frame.type) {
      case "welcome":
        this.isWelcome = true;
        this.watching = setInterval(() => {
          if (performance.now() - this.cameAt > (MISSED_PINGS + 1) * frame.ping_s * 1000) this.over("lost");
        }, 500);
        break;
      case "ping":
        this.tell("pong");
        break;
      case "flush":
        this.playback.port.postMessage({ until: frame.until });
        break;
      case "call_state":
        this.page.state(frame.state);
        break;
      case "said":
        this.page.said(frame.text);
        break;
      case "guess":
        this.page.guess(frame.text);
        break;
      case "heard":
        this.page.heard(frame.text);
        break;
      case "turn":
        this.page.turn(frame.answer_ms);
        break;
      case "refused":
        this.over(frame.code);
        break;
      case "ended":
        this.over(frame.reason);
        break;
    }
  }

  press(digit) {
    this.tell("dtmf", { digit });
  }

  mute(isMuted) {
    this.isMuted = isMuted;
    this.microphone?.port.postMessage({ muted: isMuted });
  }

  hangUp() {
    this.tell("bye");
    this.over("hung_up");
  }

  // Gives microphone, sound and socket back, and says why once.
  over(reason) {
    clearInterval(this.watching);
    const { socket, stream, context } = this;
    this.socket = this.stream = this.context = this.microphone = this.playback = null;
    socket?.close();
    stream?.getTracks().forEach((track) => track.stop());
    context?.close();
    this.page.level(0);
    this.page.ended(reason);
  }
}
