// YouTube's frame by its message protocol: what the player says and what it is told.
// Nothing of YouTube's runs on our page; messages are heard from the frame's own origin only.

const ENDED = 0;
const PLAYING = 1;
const PAUSED = 2;
const SAYS_NOTHING = 15000;
const ASK_AGAIN = 250;

export function address(origin, { video, at, plays }) {
  const wishes = { enablejsapi: 1, origin: location.origin, playsinline: 1, rel: 0, autoplay: plays ? 1 : 0 };
  if (at) wishes.start = Math.floor(at);
  return `${origin}/embed/${encodeURIComponent(video)}?${new URLSearchParams(wishes)}`;
}

export class VideoFrame {
  // `on` hears: time(seconds), playing(), paused(), ended(), length(seconds), rate(number),
  // muted(boolean), failed(code). `failed(0)` means that the frame never answered.
  constructor(frame, origin, on) {
    Object.assign(this, { frame, origin, on, time: 0, length: 0, rate: 1, muted: false, state: -1, answered: false });
    this.hear = this.hear.bind(this);
    addEventListener("message", this.hear);
    this.asking = setInterval(() => this.ask(), ASK_AGAIN);
    this.waiting = setTimeout(() => this.answered || on.failed(0), SAYS_NOTHING);
  }

  close() {
    removeEventListener("message", this.hear);
    clearInterval(this.asking);
    clearTimeout(this.waiting);
  }

  get isPlaying() {
    return this.state === PLAYING;
  }

  play() {
    this.tell("playVideo");
  }
  pause() {
    this.tell("pauseVideo");
  }
  seek(seconds) {
    this.time = Math.max(0, this.length ? Math.min(seconds, this.length) : seconds);
    this.tell("seekTo", this.time, true);
  }
  speed(rate) {
    this.tell("setPlaybackRate", rate);
  }
  mute(on) {
    this.tell(on ? "mute" : "unMute");
  }

  tell(func, ...args) {
    this.post({ event: "command", func, args });
  }

  // The frame answers once it has loaded, and only who has said that it listens.
  ask() {
    this.post({ event: "listening" });
  }

  post(message) {
    this.frame.contentWindow?.postMessage(JSON.stringify({ id: 1, channel: "widget", ...message }), this.origin);
  }

  hear(event) {
    if (event.origin !== this.origin || event.source !== this.frame.contentWindow) return;
    const said = parsed(event.data);
    if (!this.answered) this.greet();
    if (said.event === "onError") this.on.failed(Number(said.info) || -1);
    else if (said.event === "onStateChange") this.turn(said.info);
    else if (said.info && typeof said.info === "object") this.learn(said.info);
  }

  greet() {
    this.answered = true;
    clearInterval(this.asking);
    for (const name of ["onReady", "onStateChange", "onError"]) this.tell("addEventListener", name);
  }

  learn(info) {
    if (isNumber(info.duration) && info.duration > 0 && info.duration !== this.length) {
      this.length = info.duration;
      this.on.length(this.length);
    }
    if (isNumber(info.playbackRate) && info.playbackRate !== this.rate) {
      this.rate = info.playbackRate;
      this.on.rate(this.rate);
    }
    if (typeof info.muted === "boolean" && info.muted !== this.muted) {
      this.muted = info.muted;
      this.on.muted(this.muted);
    }
    if (isNumber(info.currentTime)) {
      this.time = info.currentTime;
      this.on.time(this.time);
    }
    if (isNumber(info.playerState)) this.turn(info.playerState);
  }

  turn(state) {
    if (state === this.state) return;
    this.state = state;
    if (state === PLAYING) this.on.playing();
    if (state === PAUSED) this.on.paused();
    if (state === ENDED) this.on.ended();
  }
}

// The pieces really watched: time that passed at the video's own pace, never a jump.
export class Watching {
  constructor() {
    this.pieces = [];
    this.last = null;
  }

  // `now` is the clock in milliseconds, `rate` how fast the video plays.
  at(seconds, now, rate) {
    const { last } = this;
    this.last = { seconds, now };
    if (!last) return;
    const passed = ((now - last.now) / 1000) * rate;
    const step = seconds - last.seconds;
    if (step > 0 && step <= passed + 2) this.add(last.seconds, seconds);
  }

  stop() {
    this.last = null;
  }

  add(from, to) {
    const previous = this.pieces.at(-1);
    if (previous && from >= previous[0] && from <= previous[1] + 0.5) previous[1] = Math.max(previous[1], to);
    else this.pieces.push([from, to]);
  }

  // Whole seconds for the server. What is open now goes on from where it was cut.
  take() {
    const whole = this.pieces.map(([from, to]) => [Math.floor(from), Math.ceil(to)]).filter(([from, to]) => to > from);
    this.pieces = [];
    return whole;
  }
}

function parsed(text) {
  try {
    return (typeof text === "string" && JSON.parse(text)) || {};
  } catch {
    return {};
  }
}

function isNumber(value) {
  return typeof value === "number" && Number.isFinite(value);
}
