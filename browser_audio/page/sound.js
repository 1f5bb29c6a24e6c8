// The sound of a call, on the browser's audio thread: the microphone into frames of 20 ms, frames into what is played.

const RATE = 16000;
const FRAME = 320;
const ACKNOWLEDGED_EVERY = 5;
const PHASES = 256;

// Any rate into any other: a windowed sinc, whose place in the input is kept from one block to the next.
class Resampler {
  constructor(from, to) {
    this.step = from / to;
    this.cut = Math.min(1, to / from);
    this.half = Math.ceil(8 / this.cut);
    this.kernel = new Float32Array(this.half * PHASES + 1);
    for (let index = 0; index < this.kernel.length; index += 1) {
      const x = index / PHASES;
      const angle = Math.PI * x * this.cut;
      const sinc = angle ? Math.sin(angle) / angle : 1;
      this.kernel[index] = this.cut * sinc * (0.5 + 0.5 * Math.cos((Math.PI * x) / this.half));
    }
    this.reset();
  }

  reset() {
    this.kept = new Float32Array(2 * this.half);
    this.at = this.half;
  }

  push(input) {
    const all = new Float32Array(this.kept.length + input.length);
    all.set(this.kept);
    all.set(input, this.kept.length);
    const found = [];
    while (this.at + this.half < all.length) {
      const whole = Math.floor(this.at);
      const part = this.at - whole;
      let sum = 0;
      for (let k = 1 - this.half; k <= this.half; k += 1) {
        sum += all[whole + k] * this.kernel[Math.round(Math.min(Math.abs(k - part), this.half) * PHASES)];
      }
      found.push(sum);
      this.at += this.step;
    }
    const gone = Math.floor(this.at) - this.half;
    this.kept = all.slice(gone);
    this.at -= gone;
    return found;
  }
}

class Microphone extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = new Resampler(sampleRate, RATE);
    this.frame = new Int16Array(FRAME);
    this.filled = 0;
    this.muted = false;
    this.port.onmessage = (event) => { this.muted = event.data.muted; };
  }

  process(inputs) {
    const heard = inputs[0]?.[0] ?? new Float32Array(128);
    for (const sample of this.resampler.push(heard)) {
      this.frame[this.filled] = this.muted ? 0 : Math.max(-1, Math.min(1, sample)) * 32767;
      this.filled += 1;
      if (this.filled === FRAME) {
        this.port.postMessage(this.frame.buffer, [this.frame.buffer]);
        this.frame = new Int16Array(FRAME);
        this.filled = 0;
      }
    }
    return true;
  }
}

class Playback extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = new Resampler(RATE, sampleRate);
    this.queue = [];
    this.ready = [];
    this.playing = -1;
    this.played = 0;
    this.port.onmessage = (event) => this.take(event.data);
  }

  take(message) {
    if (message.until === undefined) {
      this.queue.push(message);
      return;
    }
    this.queue = this.queue.filter((one) => one.number >= message.until);
    this.ready = [];
    this.playing = -1;
    this.resampler.reset();
    this.port.postMessage({ flushed: message.until, played: this.played });
  }

  // The frame before is over when the next one is taken, or when nothing more comes.
  over() {
    if (this.playing < 0) return;
    this.played = this.playing + 1;
    this.playing = -1;
    if (this.played % ACKNOWLEDGED_EVERY === 0 || !this.queue.length) this.port.postMessage({ played: this.played });
  }

  process(_, outputs) {
    const out = outputs[0][0];
    while (this.ready.length < out.length) {
      const next = this.queue.shift();
      if (!next) break;
      this.over();
      this.playing = next.number;
      const samples = new Int16Array(next.pcm);
      this.ready.push(...this.resampler.push(Float32Array.from(samples, (sample) => sample / 32768)));
    }
    const given = this.ready.splice(0, out.length);
    out.set(given);
    if (given.length < out.length) this.over();
    return true;
  }
}

registerProcessor("pronto-microphone", Microphone);
registerProcessor("pronto-playback", Playback);
