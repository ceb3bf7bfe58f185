import { Camera, CameraOff, Mic, MicOff, RotateCw } from "lucide";
import { useEffect, useRef, useState } from "preact/hooks";

import { listDevices, meter, type DeviceProblem, type Kind } from "../devices";
import type { TextKey } from "../texts";
import { initialsOf, say, type View } from "./common";
import { Icon } from "./icon";

export function DeviceCheck({ app, model }: View) {
  const { captured, choices } = model;
  const stream = captured?.stream ?? null;
  const change = (choice: Parameters<typeof app.choose>[0]): void => {
    app.choose(choice);
    void app.preview();
  };
  const devices = useDevices(stream);
  return (
    <section class="devices" aria-label={say(app, "devices")}>
      <Preview app={app} model={model} />
      <div class="devices-toggles">
        <button
          type="button"
          class="btn"
          aria-pressed={choices.microphone}
          data-testid="check-microphone"
          onClick={() => change({ microphone: !choices.microphone })}
        >
          <Icon of={choices.microphone ? Mic : MicOff} />
          {say(app, choices.microphone ? "microphone_on" : "microphone_off")}
        </button>
        <button
          type="button"
          class="btn"
          aria-pressed={choices.camera}
          data-testid="check-camera"
          onClick={() => change({ camera: !choices.camera })}
        >
          <Icon of={choices.camera ? Camera : CameraOff} />
          {say(app, choices.camera ? "camera_on" : "camera_off")}
        </button>
      </div>
      {stream && choices.microphone && <Level app={app} model={model} />}
      <Choice
        label={say(app, "microphone")}
        devices={devices.filter((device) => device.kind === "audioinput")}
        chosen={choices.microphoneId}
        choose={(microphoneId) => change({ microphoneId })}
      />
      <Choice
        label={say(app, "camera")}
        devices={devices.filter((device) => device.kind === "videoinput")}
        chosen={choices.cameraId}
        choose={(cameraId) => change({ cameraId })}
      />
      {captured && <Problems app={app} model={model} />}
      {captured === null && (
        <button type="button" class="btn btn-block" data-testid="check-devices" onClick={() => void app.preview()}>
          {say(app, "check_devices")}
        </button>
      )}
    </section>
  );
}

function Preview({ app, model }: View) {
  const video = useRef<HTMLVideoElement>(null);
  const stream = model.captured?.stream ?? null;
  const shows = model.choices.camera && (stream?.getVideoTracks().length ?? 0) > 0;
  useEffect(() => {
    if (video.current) video.current.srcObject = shows ? stream : null;
  }, [stream, shows]);
  return (
    <div class="devices-preview">
      <video ref={video} data-testid="preview" class="mirrored" muted autoplay playsInline hidden={!shows} />
      {!shows && <span class="avatar-big" aria-hidden="true">{initialsOf(app.page.data.me.name)}</span>}
      <span class="tile-name">{app.page.data.me.name}</span>
    </div>
  );
}

function Level({ app, model }: View) {
  const stream = model.captured?.stream ?? null;
  const bar = useRef<HTMLMeterElement>(null);
  useEffect(() => {
    if (stream === null) return;
    return meter(stream, (level) => {
      if (bar.current) bar.current.value = level;
    });
  }, [stream]);
  return (
    <label class="devices-level">
      <span>{say(app, "level")}</span>
      <meter ref={bar} data-testid="level" min={0} max={1} value={0} />
    </label>
  );
}

interface ChoiceProps {
  label: string;
  devices: MediaDeviceInfo[];
  chosen: string;
  choose: (id: string) => void;
}

export function Choice({ label, devices, chosen, choose }: ChoiceProps) {
  if (devices.length < 2) return null;
  const known = devices.some((device) => device.deviceId === chosen);
  return (
    <label class="devices-choice">
      <span>{label}</span>
      <select class="select" value={known ? chosen : devices[0]?.deviceId} onChange={(event) => choose(event.currentTarget.value)}>
        {devices.map((device) => (
          <option key={device.deviceId} value={device.deviceId}>{device.label}</option>
        ))}
      </select>
    </label>
  );
}

export function useDevices(renewWith: unknown): MediaDeviceInfo[] {
  const [devices, setDevices] = useState<MediaDeviceInfo[]>([]);
  useEffect(() => {
    const look = (): void => void listDevices().then(setDevices);
    look();
    navigator.mediaDevices?.addEventListener("devicechange", look);
    return () => navigator.mediaDevices?.removeEventListener("devicechange", look);
  }, [renewWith]);
  return devices;
}

function Problems({ app, model }: View) {
  const { camera, microphone } = model.captured ?? { camera: null, microphone: null };
  if (camera === null && microphone === null) return null;
  const lines: TextKey[] =
    camera === microphone && camera !== null
      ? [`both_${camera}`]
      : [...keyOf("camera", camera), ...keyOf("microphone", microphone)];
  return (
    <div class="devices-problem" role="alert" data-testid="device-problem">
      {lines.map((key) => <p key={key}>{say(app, key)}</p>)}
      <p>{say(app, "without_devices")}</p>
      <button type="button" class="btn btn-sm" onClick={() => void app.preview()}>
        <Icon of={RotateCw} size={16} />
        {say(app, "try_again")}
      </button>
    </div>
  );
}

const keyOf = (kind: Kind, problem: DeviceProblem | null): TextKey[] =>
  problem === null ? [] : problem === "insecure" ? ["both_insecure"] : [`${kind}_${problem}`];
