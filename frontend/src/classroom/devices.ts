/** Camera and microphone before the room: preview, level, and why they do not work. */
import type { Choices } from "./choices";

export type DeviceProblem = "denied" | "missing" | "busy" | "insecure";
export type Kind = "camera" | "microphone";

export interface Captured {
  stream: MediaStream | null;
  camera: DeviceProblem | null;
  microphone: DeviceProblem | null;
}

export const canCapture = (): boolean => typeof navigator.mediaDevices?.getUserMedia === "function";

/** Asks for both at once, so that the browser asks the person once; then for what can still be had. */
export async function capture(choices: Choices): Promise<Captured> {
  if (!canCapture()) return { stream: null, camera: "insecure", microphone: "insecure" };
  const both = await attempt(choices, choices.camera, choices.microphone);
  if (both.stream !== null || !(choices.camera && choices.microphone)) return both;
  const camera = await attempt(choices, true, false);
  const microphone = await attempt(choices, false, true);
  const tracks = [...(camera.stream?.getTracks() ?? []), ...(microphone.stream?.getTracks() ?? [])];
  return {
    stream: tracks.length > 0 ? new MediaStream(tracks) : null,
    camera: camera.camera,
    microphone: microphone.microphone,
  };
}

async function attempt(choices: Choices, camera: boolean, microphone: boolean): Promise<Captured> {
  if (!camera && !microphone) return { stream: null, camera: null, microphone: null };
  try {
    const stream = await navigator.mediaDevices.getUserMedia({
      video: camera && { ...ideal(choices.cameraId), width: { ideal: 1280 }, height: { ideal: 720 } },
      audio: microphone && {
        ...ideal(choices.microphoneId),
        echoCancellation: true,
        noiseSuppression: true,
        autoGainControl: true,
      },
    });
    return { stream, camera: null, microphone: null };
  } catch (error) {
    const problem = problemOf(error);
    return { stream: null, camera: camera ? problem : null, microphone: microphone ? problem : null };
  }
}

/** A remembered device may be unplugged today: it is a wish, not a demand. */
const ideal = (id: string): MediaTrackConstraints => (id === "" ? {} : { deviceId: { ideal: id } });

export function problemOf(error: unknown): DeviceProblem {
  const name = error instanceof Error ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "denied";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "missing";
  return "busy";
}

export async function listDevices(): Promise<MediaDeviceInfo[]> {
  if (!canCapture()) return [];
  return (await navigator.mediaDevices.enumerateDevices()).filter((device) => device.deviceId !== "");
}

/** Calls `show` with the loudness, 0 to 1, some twenty times a second; returns how to stop. */
export function meter(stream: MediaStream, show: (level: number) => void): () => void {
  if (stream.getAudioTracks().length === 0) return () => undefined;
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 512;
  context.createMediaStreamSource(new MediaStream(stream.getAudioTracks())).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  // A page that was not touched yet has its sound suspended: the first touch starts the meter.
  const wake = (): void => void context.resume();
  document.addEventListener("pointerdown", wake);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const loudest = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    show(Math.min(1, loudest * 2));
  }, 50);
  return () => {
    clearInterval(timer);
    document.removeEventListener("pointerdown", wake);
    void context.close();
  };
}
