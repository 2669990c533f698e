// Times, numbers and log text for people. Log text may be hostile: control and bidirectional characters are shown as escapes, never as themselves.

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3, hour12: false });
const dayAndClock = new Intl.DateTimeFormat(undefined, { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });
const whole = new Intl.NumberFormat();

export const timeOfDay = (at?: string | null) => (at ? clock.format(new Date(at)) : '–');
export const dateTime = (at?: string | null) => (at ? dayAndClock.format(new Date(at)) : '–');
export const count = (n: number) => whole.format(n);

export function rate(n: number): string {
  return n >= 100 ? whole.format(Math.round(n)) : n.toFixed(1);
}

export function ago(at: string | null | undefined, now: number): string {
  if (!at) return 'never';
  const s = Math.max(0, Math.round((now - new Date(at).getTime()) / 1000));
  if (s < 5) return 'now';
  if (s < 60) return `${s} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ago`;
  return `${Math.floor(s / 86400)} d ago`;
}

export function span(from: string, to: string): string {
  const s = Math.round((new Date(to).getTime() - new Date(from).getTime()) / 1000);
  if (s < 1) return 'at once';
  if (s < 120) return `in ${s} s`;
  if (s < 7200) return `in ${Math.round(s / 60)} min`;
  return `in ${Math.round(s / 3600)} h`;
}

export function bytes(n: number | null): string {
  if (n === null) return '–';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let i = 0;
  while (n >= 1024 && i < units.length - 1) {
    n /= 1024;
    i += 1;
  }
  return `${n >= 100 || i === 0 ? Math.round(n) : n.toFixed(1)} ${units[i]}`;
}

// C0 and C1 controls, zero-width and bidirectional controls, line separators, tags.
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|[\u{e0000}-\u{e007f}]/gu;

export function visible(text: string): string {
  return text.replace(UNSAFE, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`);
}

export interface Piece {
  text: string;
  masked?: string;
}

// A mark of the redaction gate: __masked_<kind>__ or __masked_<kind>_<key>_<hash>__ (FORMAT §6).
const MARK = /__masked_([a-z][a-z0-9]*(?:_[a-z0-9]+)*?)(?:_[a-z0-9]{1,16}_[0-9a-f]{16})?__/g;

export function pieces(raw: string): Piece[] {
  const out: Piece[] = [];
  let from = 0;
  for (const mark of raw.matchAll(MARK)) {
    if (mark.index > from) out.push({ text: visible(raw.slice(from, mark.index)) });
    out.push({ text: mark[0], masked: (mark[1] ?? 'secret').replaceAll('_', ' ') });
    from = mark.index + mark[0].length;
  }
  if (from < raw.length) out.push({ text: visible(raw.slice(from)) });
  return out;
}
