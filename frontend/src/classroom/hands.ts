/** Raised hands, oldest first. Pure. */

export interface Hand {
  seat: string;
  name: string;
  raised_at: number;
}

export function moved(hands: readonly Hand[], seat: string, name: string, raised: boolean, now: number): Hand[] {
  const others = hands.filter((hand) => hand.seat !== seat);
  if (!raised) return others;
  const known = hands.find((hand) => hand.seat === seat);
  return inOrder([...others, known ?? { seat, name, raised_at: now }]);
}

export function inOrder(hands: readonly Hand[]): Hand[] {
  return [...hands].sort((a, b) => a.raised_at - b.raised_at);
}

export const isUp = (hands: readonly Hand[], seat: string): boolean => hands.some((hand) => hand.seat === seat);
