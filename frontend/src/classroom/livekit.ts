import { LogLevel, setLogLevel } from "livekit-client";

/** What the classroom uses of livekit-client: named one by one, so that the rest is left out of the bundle. */
export {
  ConnectionQuality,
  DisconnectReason,
  LocalAudioTrack,
  LocalVideoTrack,
  ParticipantKind,
  Room,
  RoomEvent,
  ScreenSharePresets,
  Track,
  VideoPresets,
} from "livekit-client";

// Its "info" tells the console of every step, whole join requests among them.
setLogLevel(LogLevel.warn);
