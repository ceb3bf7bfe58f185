import type { IconNode } from "lucide";
import { h } from "preact";

/** A lucide icon; always decoration, since the control that holds it has a name of its own. */
export function Icon({ of, size = 20 }: { of: IconNode; size?: number }) {
  return (
    <svg
      aria-hidden="true"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="2"
      stroke-linecap="round"
      stroke-linejoin="round"
    >
      {of.map(([tag, attributes]) => h(tag, attributes))}
    </svg>
  );
}
