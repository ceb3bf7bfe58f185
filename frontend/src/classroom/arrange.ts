/** Which picture goes where on the stage. Pure. */

export type Source = "camera" | "screen";

export interface Tile<T = unknown> {
  seat: string;
  identity: string;
  name: string;
  lecturer: boolean;
  local: boolean;
  speaking: boolean;
  source: Source;
  track: T;
}

export interface Stage<T = unknown> {
  main: Tile<T> | null;
  corner: Tile<T> | null;
  strip: Tile<T>[];
}

/**
 * A shared screen is large with the lecturer in its corner. Without one the lecturer is large, else
 * whoever speaks; one's own picture is the corner, since nobody came to look at themselves.
 */
export function arrange<T>(tiles: readonly Tile<T>[]): Stage<T> {
  const screens = tiles.filter((tile) => tile.source === "screen");
  const cameras = tiles.filter((tile) => tile.source === "camera").sort((a, b) => weight(b) - weight(a));
  const screen = screens.find((tile) => !tile.local);
  if (screen !== undefined) {
    const [corner, ...strip] = [...cameras.filter((t) => t.lecturer), ...cameras.filter((t) => !t.lecturer)];
    return { main: screen, corner: corner ?? null, strip };
  }
  // One's own screen shown large would show itself in itself: it is the corner.
  const own = screens[0] ?? cameras.find((tile) => tile.local) ?? null;
  const [first, ...strip] = cameras.filter((tile) => !tile.local);
  if (first !== undefined) return { main: first, corner: own, strip };
  const camera = cameras[0] ?? null;
  return camera === null || own === camera ? { main: own, corner: null, strip: [] } : { main: camera, corner: own, strip: [] };
}

const weight = (tile: Tile): number => (tile.lecturer ? 4 : 0) + (tile.speaking ? 2 : 0) + (tile.local ? 0 : 1);
