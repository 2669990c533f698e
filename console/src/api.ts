// The server's API (docs/specs/api.md): types and requests. Every request that changes something carries the header that no other site can send.

export type Severity = 'critical' | 'high' | 'medium' | 'low' | 'info';
export type AlertState = 'open' | 'acked' | 'closed';

export interface Session {
  user: string | null;
  setup_needed: boolean;
  demo: boolean;
  version: string;
}

export interface Alert {
  id: string;
  state: AlertState;
  rule: string;
  title: string;
  severity: Severity;
  attack: string[];
  cluster?: string;
  subject: Record<string, string>;
  first_time: string;
  last_time: string;
  count: number;
  next: string;
  by?: string;
  note?: string;
  verdict?: string;
  historical: boolean;
  created: string;
  updated: string;
}

export interface EvidenceLine {
  name: string;
  time?: string | null;
  product?: string | null;
  stream?: string | null;
  action?: string | null;
  status?: string | null;
  user?: string | null;
  src_ip?: string | null;
  object?: string | null;
  raw: string | null;
  gone?: string;
}

export interface LogEvent {
  log: string;
  seq: number | string;
  cluster?: string;
  time?: string;
  observed_time?: string;
  product?: string;
  component?: string;
  stream?: string;
  level?: string;
  action?: string;
  status?: string;
  user?: string;
  target_user?: string;
  src_ip?: string;
  object?: string;
  instance?: string;
  issues?: string[];
  fields?: Record<string, unknown>;
  raw: string;
  [key: string]: unknown;
}

export interface Source {
  source: string;
  cluster: string;
  product: string | null;
  instance: string | null;
  path: string | null;
  last_event: string | null;
  last_time: string | null;
  events: number;
  silent: boolean;
}

export interface Overview {
  now: string;
  version: string;
  demo: boolean;
  intake: { state: 'running' | 'stopped'; reason: string | null; dropped: number };
  rate: { step_s: number; minutes: number; series: { product: string; cluster: string; counts: (number | null)[] }[] };
  per_second: { product: string; n: number }[];
  alerts: { open: Record<Severity, number>; acked: number; closed_24h: number };
  sources: Source[];
  sources_total: number;
  store: { events: number; lake_bytes: number; disk_free_bytes: number | null; disk_total_bytes: number | null; oldest: string | null };
  rules: { n: number };
  notify: { name: string; kind: string; delivered: number; waiting: number; failed: number; last_error: string | null }[];
}

/** What the server said when it could not do what was asked. */
export class Fault extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly next: string,
  ) {
    super(message);
  }
}

async function request<T>(method: string, path: string, body?: unknown): Promise<T> {
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      credentials: 'same-origin',
      headers: { 'X-Bartizan': '1', ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Fault(0, 'unreachable', 'the server does not answer', 'check that bartizan serve is running; this page goes on by itself');
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) {
    const said = answer?.error ?? {};
    throw new Fault(response.status, said.code ?? 'unknown', said.message ?? `the server answered ${response.status}`, said.next ?? '');
  }
  return answer as T;
}

export const api = {
  session: () => request<Session>('GET', '/session'),
  setUp: (token: string, user: string, password: string) => request<Session>('POST', '/setup', { token, user, password }),
  logIn: (user: string, password: string) => request<Session>('POST', '/login', { user, password }),
  logOut: () => request<Session>('POST', '/logout', {}),
  overview: () => request<Overview>('GET', '/overview'),
  alerts: (state: string, severity: string) =>
    request<{ alerts: Alert[]; total: number; next: string | null }>(
      'GET',
      `/alerts?state=${encodeURIComponent(state)}&severity=${encodeURIComponent(severity)}&limit=200`,
    ),
  alert: (id: string) => request<{ alert: Alert; lines: EvidenceLine[]; similar: Alert[] }>('GET', `/alerts/${encodeURIComponent(id)}`),
  say: (id: string, state: AlertState, note?: string, verdict?: string) =>
    request<{ alert: Alert }>('POST', `/alerts/${encodeURIComponent(id)}`, { state, note: note || undefined, verdict }),
};
