/** What the person chose on the check page, remembered on this device. */
export interface Choices {
  microphone: boolean;
  camera: boolean;
  microphoneId: string;
  cameraId: string;
}

const KEY = "pendopo.choices";
const FIRST: Choices = { microphone: true, camera: true, microphoneId: "", cameraId: "" };

export function recallChoices(): Choices {
  try {
    return { ...FIRST, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Choices>) };
  } catch {
    return FIRST;
  }
}

export function keepChoices(choices: Choices): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(choices));
  } catch {
    // Private windows may refuse storage: the choice then lasts as long as the page.
  }
}
