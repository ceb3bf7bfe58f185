/**
 * The one home of livekit-client (with `livekit.ts`, its choice of names): connects, publishes, and tells what is to be seen.
 *
 * At most one Room lives at a time: connecting again first takes the old one down. The library is
 * loaded while the person reads the page, so that the press on the button need not wait for it.
 */
import type {
  LocalTrack,
  Participant,
  RemoteTrack,
  Room,
  RoomOptions,
  Track,
  TrackPublication,
} from "livekit-client";

import type { Source, Tile } from "./arrange";
import type { Choices } from "./choices";
import { canCapture, type Kind } from "./devices";
import type { Loss, Ticket } from "./machine";

type Library = typeof import("./livekit");
export type VideoTile = Tile<Track>;

export interface Person {
  seat: string;
  identity: string;
  name: string;
  role: string;
  local: boolean;
  speaking: boolean;
  microphone: boolean;
  camera: boolean;
}

/** What the room looks like at this moment. */
export interface Seen {
  tiles: VideoTile[];
  people: Person[];
  microphone: boolean;
  camera: boolean;
  screen: boolean;
  /** Published and silent: switched off by the person or a host, not merely gone with a lost connection. */
  switchedOff: Kind[];
  canPublish: boolean;
  canShare: boolean;
  soundBlocked: boolean;
  weak: boolean;
  sid: string;
}

export interface Listener {
  changed(): void;
  interrupted(): void;
  resumed(): void;
  lost(loss: Loss): void;
  /** A broadcast of the server; participants cannot send any. */
  said(topic: string, body: unknown): void;
  troubled(kind: "camera" | "microphone" | "screen", error: unknown): void;
}

export const NOTHING: Seen = {
  tiles: [],
  people: [],
  microphone: false,
  camera: false,
  screen: false,
  switchedOff: [],
  canPublish: false,
  canShare: false,
  soundBlocked: false,
  weak: false,
  sid: "",
};

/** `TrackSource.SCREEN_SHARE` of the media server's protocol. */
const SCREEN_SHARE = 3;

const KINDS: Kind[] = ["camera", "microphone"];
const SOURCES = { camera: "Camera", microphone: "Microphone" } as const;

/** After this the page asks for a new admission instead of the old token's room. */
const RECONNECT_FOR_MS = 20_000;

let library: Promise<Library> | null = null;
export function loadLibrary(): Promise<Library> {
  library ??= import("./livekit").catch((error: unknown) => {
    library = null;
    throw error;
  });
  return library;
}

export class Media {
  readonly #listener: Listener;
  readonly #sounds: HTMLElement;
  #room: Room | null = null;
  #lk: Library | null = null;

  constructor(listener: Listener, sounds: HTMLElement) {
    this.#listener = listener;
    this.#sounds = sounds;
  }

  /** Throws what livekit-client throws; `isExpired` tells a stale token from a missing network. */
  async connect(ticket: Ticket): Promise<void> {
    await this.disconnect();
    this.#lk = await loadLibrary();
    const room = new this.#lk.Room(options(this.#lk));
    this.#room = room;
    this.#listen(room, this.#lk);
    try {
      await room.connect(ticket.url, ticket.token);
    } catch (error) {
      if (this.#room === room) this.#room = null;
      throw error;
    }
    this.#listener.changed();
  }

  async disconnect(): Promise<void> {
    const room = this.#room;
    this.#room = null;
    this.#sounds.replaceChildren();
    await room?.disconnect();
  }

  /** Publishes what the check page captured, so that the browser need not ask a second time. */
  async publish(stream: MediaStream | null, choices: Choices): Promise<void> {
    const [room, lk] = [this.#room, this.#lk];
    if (room === null || lk === null || !room.localParticipant.permissions?.canPublish) return;
    const camera = stream?.getVideoTracks().find((track) => track.readyState === "live");
    const microphone = stream?.getAudioTracks().find((track) => track.readyState === "live");
    const given: LocalTrack[] = [];
    if (choices.camera && camera) given.push(new lk.LocalVideoTrack(camera, constraintsOf(camera), false));
    if (choices.microphone && microphone) {
      given.push(new lk.LocalAudioTrack(microphone, constraintsOf(microphone), false));
    }
    const open = canCapture();
    await Promise.all([
      ...given.map((track) => room.localParticipant.publishTrack(track, { source: sourceOf(lk, track) })),
      open && choices.camera && !camera ? this.camera(true, choices.cameraId) : undefined,
      open && choices.microphone && !microphone ? this.microphone(true, choices.microphoneId) : undefined,
    ]);
    this.#listener.changed();
  }

  microphone(on: boolean, id = ""): Promise<boolean> {
    return this.#try("microphone", (me) => me.setMicrophoneEnabled(on, id === "" ? undefined : { deviceId: id }));
  }

  camera(on: boolean, id = ""): Promise<boolean> {
    return this.#try("camera", (me) => me.setCameraEnabled(on, id === "" ? undefined : { deviceId: id }));
  }

  screen(on: boolean): Promise<boolean> {
    return this.#try("screen", (me) =>
      me.setScreenShareEnabled(on, { audio: true, contentHint: "detail", selfBrowserSurface: "exclude" }),
    );
  }

  async switchTo(kind: MediaDeviceKind, id: string): Promise<void> {
    await this.#room?.switchActiveDevice(kind, id).catch(() => undefined);
  }

  /** Browsers keep pages silent until they are touched; called from a press. */
  async startSound(): Promise<void> {
    await this.#room?.startAudio().catch(() => undefined);
  }

  see(): Seen {
    const [room, lk] = [this.#room, this.#lk];
    if (room === null || lk === null) return NOTHING;
    const everybody = [room.localParticipant, ...room.remoteParticipants.values()].filter((p) => isPerson(lk, p));
    const me = room.localParticipant;
    return {
      tiles: everybody.flatMap((participant) => tilesOf(lk, participant)),
      people: everybody.map(personOf),
      microphone: me.isMicrophoneEnabled,
      camera: me.isCameraEnabled,
      screen: me.isScreenShareEnabled,
      switchedOff: KINDS.filter((kind) => me.getTrackPublication(lk.Track.Source[SOURCES[kind]])?.isMuted === true),
      canPublish: me.permissions?.canPublish ?? false,
      canShare: mayShare(me),
      soundBlocked: !room.canPlaybackAudio,
      weak: me.connectionQuality === lk.ConnectionQuality.Poor,
      sid: me.sid,
    };
  }

  async #try(kind: "camera" | "microphone" | "screen", act: (me: Room["localParticipant"]) => Promise<unknown>) {
    const me = this.#room?.localParticipant;
    if (me === undefined) return false;
    try {
      await act(me);
      return true;
    } catch (error) {
      this.#listener.troubled(kind, error);
      return false;
    } finally {
      this.#listener.changed();
    }
  }

  #listen(room: Room, lk: Library): void {
    const { RoomEvent: On } = lk;
    const mine = (): boolean => this.#room === room;
    const changed = (): void => (mine() ? this.#listener.changed() : undefined);
    for (const event of CHANGES) room.on(On[event], changed);
    room.on(On.TrackSubscribed, (track) => this.#play(track));
    room.on(On.TrackUnsubscribed, (track) => track.detach().forEach((element) => element.remove()));
    // The first is a lost signalling line with media that may still flow, the second a whole new start.
    room.on(On.SignalReconnecting, () => mine() && this.#listener.interrupted());
    room.on(On.Reconnecting, () => mine() && this.#listener.interrupted());
    room.on(On.Reconnected, () => mine() && this.#listener.resumed());
    room.on(On.Disconnected, (reason) => {
      if (!mine() || reason === lk.DisconnectReason.CLIENT_INITIATED) return;
      this.#room = null;
      this.#sounds.replaceChildren();
      this.#listener.lost(lossOf(lk, reason));
    });
    room.on(On.DataReceived, (payload, sender, _kind, topic) => {
      // Only the server's own broadcasts have no sender; what a participant sends is not believed.
      if (!mine() || sender !== undefined || topic === undefined) return;
      const body = parse(payload);
      if (body !== null) this.#listener.said(topic, body);
    });
  }

  #play(track: RemoteTrack): void {
    if (track.kind === "audio") this.#sounds.append(track.attach());
  }
}

const CHANGES = [
  "ParticipantConnected",
  "ParticipantDisconnected",
  "ParticipantPermissionsChanged",
  "ParticipantNameChanged",
  "ParticipantAttributesChanged",
  "TrackSubscribed",
  "TrackUnsubscribed",
  "TrackMuted",
  "TrackUnmuted",
  "LocalTrackPublished",
  "LocalTrackUnpublished",
  "ActiveSpeakersChanged",
  "AudioPlaybackStatusChanged",
  "ConnectionQualityChanged",
  "Reconnected",
] as const;

function options(lk: Library): RoomOptions {
  return {
    adaptiveStream: true,
    // Layers that are paused while nobody looks sometimes came back seconds late: what the lecturer shows is
    // always wanted, by the recorder if by nobody else.
    dynacast: false,
    disconnectOnPageLeave: true,
    reconnectPolicy: {
      nextRetryDelayInMs: ({ retryCount, elapsedMs }) =>
        elapsedMs > RECONNECT_FOR_MS ? null : Math.min(2_500, 250 * 2 ** retryCount) + Math.random() * 500,
    },
    videoCaptureDefaults: { resolution: lk.VideoPresets.h720.resolution },
    publishDefaults: {
      screenShareEncoding: lk.ScreenSharePresets.h1080fps15.encoding,
      dtx: true,
      red: true,
    },
  };
}

export function isExpired(error: unknown): boolean {
  // 401 and 403: the token is stale, or its room is no longer ours. Anything else is the network.
  const status = (error as { status?: number } | null)?.status;
  return status === 401 || status === 403;
}

function lossOf(lk: Library, reason: number | undefined): Loss {
  switch (reason) {
    case lk.DisconnectReason.DUPLICATE_IDENTITY:
      return "duplicate";
    case lk.DisconnectReason.PARTICIPANT_REMOVED:
      return "removed";
    case lk.DisconnectReason.ROOM_DELETED:
    case lk.DisconnectReason.ROOM_CLOSED:
      return "closed";
    default:
      return "network";
  }
}

/** People only, and only those on stage: somebody taken back to hidden sends no goodbye. */
function isPerson(lk: Library, participant: Participant): boolean {
  if (participant.isLocal) return true;
  const human = participant.kind === lk.ParticipantKind.STANDARD || participant.kind === lk.ParticipantKind.SIP;
  return human && participant.permissions?.hidden !== true;
}

export const seatOf = (identity: string): string => identity.split(".")[0] ?? identity;

function roleOf(participant: Participant): string {
  const told = participant.attributes["role"];
  if (told !== undefined) return told;
  const metadata = parse(new TextEncoder().encode(participant.metadata ?? "null"));
  return String((metadata as { role?: string } | null)?.role ?? "participant");
}

function personOf(participant: Participant): Person {
  return {
    seat: seatOf(participant.identity),
    identity: participant.identity,
    name: participant.name ?? "",
    role: roleOf(participant),
    local: participant.isLocal,
    speaking: participant.isSpeaking,
    microphone: participant.isMicrophoneEnabled,
    camera: participant.isCameraEnabled,
  };
}

function tilesOf(lk: Library, participant: Participant): VideoTile[] {
  const person = personOf(participant);
  const tile = (source: Source, publication: TrackPublication | undefined): VideoTile[] =>
    publication?.track === undefined || publication.isMuted
      ? []
      : [{ ...person, lecturer: person.role === "lecturer", source, track: publication.track }];
  return [
    ...tile("camera", participant.getTrackPublication(lk.Track.Source.Camera)),
    ...tile("screen", participant.getTrackPublication(lk.Track.Source.ScreenShare)),
  ];
}

/** No list of sources means all of them. */
function mayShare(me: Participant): boolean {
  const may = me.permissions;
  const sources = may?.canPublishSources ?? [];
  return may?.canPublish === true && (sources.length === 0 || sources.includes(SCREEN_SHARE));
}

const sourceOf = (lk: Library, track: LocalTrack): Track.Source =>
  track.kind === lk.Track.Kind.Video ? lk.Track.Source.Camera : lk.Track.Source.Microphone;

function constraintsOf(track: MediaStreamTrack): MediaTrackConstraints {
  const { deviceId } = track.getSettings();
  return { ...track.getConstraints(), ...(deviceId === undefined ? {} : { deviceId }) };
}

function parse(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(payload)) as unknown;
  } catch {
    return null;
  }
}
