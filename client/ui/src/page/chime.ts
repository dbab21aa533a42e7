/** Milliseconds between two chimes: a flood rings once. */
const PAUSE_MS = 3_000;

/** The two strokes of the chime: hertz, and seconds after the first. */
const STROKES = [
  { pitch: 880, after: 0 },
  { pitch: 1_174.66, after: 0.11 },
];

let context: AudioContext | null = null;
let last = Number.NEGATIVE_INFINITY;

/** Plays two soft strokes. Does nothing where the browser does not let a page sound before somebody has used it. */
export function chime(): void {
  if (typeof AudioContext === "undefined" || performance.now() - last < PAUSE_MS) return;
  // Before the first click an audio context waits: it would keep all strokes until then, and play them at once.
  if (navigator.userActivation?.hasBeenActive === false) return;
  last = performance.now();
  context ??= new AudioContext();
  const audio = context;
  if (audio.state === "suspended") audio.resume().catch(() => {});
  for (const { pitch, after } of STROKES) {
    const at = audio.currentTime + after;
    const tone = new OscillatorNode(audio, { type: "sine", frequency: pitch });
    const loudness = new GainNode(audio, { gain: 0 });
    loudness.gain.linearRampToValueAtTime(0.12, at + 0.012);
    loudness.gain.exponentialRampToValueAtTime(0.0001, at + 0.9);
    tone.connect(loudness).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 1);
  }
}
