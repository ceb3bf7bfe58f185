/** What the server wrote into the page: data, texts, the form token. Times are Unix ms. */
import type { TextKey } from "./texts";

export type Role = "lecturer" | "participant" | "organiser";

export interface PageData {
  lecture: {
    id: string;
    title: string;
    lecturer_name: string;
    starts_at: number;
    ends_at: number;
    zone: string;
    recorded: boolean;
    jp: string;
  };
  me: { name: string; role: Role };
  policy_sentence: string;
  /** The text of what is kept that this page shows, and whether the person has agreed to it before. */
  notice: { version: number; given: boolean };
  /** Day and hours of the lecture in its own zone, as the server writes them. */
  when: string;
  language: string;
  server_time: number;
  links: { home: string; hours: string; replay: string | null; stream: string | null };
}

export interface Page {
  root: HTMLElement;
  data: PageData;
  texts: Record<TextKey, string>;
  csrf: string;
}

export function readPage(): Page {
  const root = document.getElementById("classroom");
  if (root === null) throw new Error("the page has no #classroom");
  return {
    root,
    data: readJson("classroom-state") as PageData,
    texts: readJson("classroom-texts") as Record<TextKey, string>,
    csrf: document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "",
  };
}

function readJson(id: string): unknown {
  return JSON.parse(document.getElementById(id)?.textContent ?? "null");
}

export const isHost = (role: Role): boolean => role !== "participant";
