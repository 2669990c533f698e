import { Button, Card, Group, Stack, Table, Text, TextInput, Title } from '@mantine/core';
import { IconPlayerPause, IconPlayerPlay, IconSearch } from '@tabler/icons-react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState, type FormEvent } from 'react';
import type { LogEvent } from '../api';
import { count, timeOfDay, visible } from '../format';
import { Raw } from '../parts/Raw';

// Lines kept on the page; older ones are in the store.
const LINES_MAX = 5_000;
// The page is drawn at most this often, whatever arrives.
const DRAW_EVERY_MS = 150;

type Link = 'connecting' | 'live' | 'lost';

/** Lines as they arrive. Nothing moves under the cursor: a click pauses, and new lines wait behind a count. */
export function TailPage() {
  const { q } = useSearch({ strict: false }) as { q: string };
  const navigate = useNavigate();
  const [words, setWords] = useState(q);
  const [lines, setLines] = useState<LogEvent[]>([]);
  const [waiting, setWaiting] = useState(0);
  const [missed, setMissed] = useState(0);
  const [paused, setPaused] = useState<Date | null>(null);
  const [link, setLink] = useState<Link>('connecting');
  const [opened, setOpened] = useState<string | null>(null);
  const arrived = useRef<LogEvent[]>([]);
  const stopped = useRef(false);
  stopped.current = paused !== null;

  useEffect(() => {
    setLines([]);
    setWaiting(0);
    arrived.current = [];
    const stream = new EventSource(`/api/v1/tail?q=${encodeURIComponent(q)}`);
    stream.addEventListener('open', () => setLink('live'));
    stream.addEventListener('error', () => setLink('lost')); // the browser tries again by itself
    stream.addEventListener('line', (e) => {
      arrived.current.push(JSON.parse(e.data));
      if (arrived.current.length > LINES_MAX) arrived.current.splice(0, arrived.current.length - LINES_MAX);
    });
    stream.addEventListener('missed', (e) => setMissed((n) => n + JSON.parse(e.data).n));
    const draw = window.setInterval(() => {
      if (arrived.current.length === 0) return;
      if (stopped.current) return setWaiting(arrived.current.length);
      const fresh = arrived.current.splice(0).reverse();
      setWaiting(0);
      setLines((old) => [...fresh, ...old].slice(0, LINES_MAX));
    }, DRAW_EVERY_MS);
    return () => {
      stream.close();
      window.clearInterval(draw);
    };
  }, [q]);

  const search = (e: FormEvent) => {
    e.preventDefault();
    navigate({ to: '/tail', search: { q: words } });
  };
  const toggle = () => setPaused(paused ? null : new Date());
  const look = (key: string) => {
    setOpened(opened === key ? null : key);
    if (!paused) setPaused(new Date());
  };
  const state =
    link === 'lost' ? 'The connection is lost; it is tried again.' : paused ? `Paused since ${paused.toLocaleTimeString(undefined, { hour12: false })}` : link === 'live' ? 'Live' : 'Connecting';
  return (
    <Stack gap="sm">
      <Group justify="space-between" align="flex-end">
        <Title order={1}>Live tail</Title>
        <Group gap="sm" align="flex-end">
          <form onSubmit={search}>
            <TextInput
              size="xs"
              w={{ base: 220, sm: 380 }}
              leftSection={<IconSearch size={14} aria-hidden />}
              placeholder='words, user:root, product:tidb, "a phrase"'
              aria-label="Filter"
              value={words}
              onChange={(e) => setWords(e.currentTarget.value)}
            />
          </form>
          <Button size="xs" variant={paused ? 'filled' : 'default'} onClick={toggle} leftSection={paused ? <IconPlayerPlay size={14} /> : <IconPlayerPause size={14} />}>
            {paused ? 'Go on' : 'Pause'}
          </Button>
        </Group>
      </Group>
      <Group gap="md" role="status" aria-live="polite">
        <Text size="sm" className="quiet">
          {state}
        </Text>
        {waiting > 0 && (
          <Button size="compact-xs" variant="default" onClick={() => setPaused(null)}>
            {count(waiting)} new {waiting === 1 ? 'event' : 'events'}
          </Button>
        )}
        {missed > 0 && (
          <Text size="sm" c="red">
            {count(missed)} lines were too many for this page and are in the store only.
          </Text>
        )}
      </Group>
      {lines.length === 0 ? (
        <Card withBorder padding="lg">
          <Text fw={600}>Nothing has arrived yet.</Text>
          <Text size="sm" className="quiet" mt={4}>
            {q ? 'Lines that match the filter appear here as they are stored.' : 'Every line appears here within a second of being written.'}
          </Text>
        </Card>
      ) : (
        <Rows lines={lines} opened={opened} look={look} />
      )}
    </Stack>
  );
}

function Rows({ lines, opened, look }: { lines: LogEvent[]; opened: string | null; look: (key: string) => void }) {
  const box = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => 29,
    overscan: 20,
    getItemKey: (i) => key(lines[i]!),
  });
  return (
    <Card withBorder padding={0}>
      <div ref={box} tabIndex={0} role="region" aria-label="Lines, newest first" style={{ height: 'calc(100vh - 180px)', overflow: 'auto' }}>
        <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
          {rows.getVirtualItems().map((item) => {
            const line = lines[item.index]!;
            return (
              <div key={item.key} data-index={item.index} ref={rows.measureElement} style={{ position: 'absolute', top: 0, left: 0, right: 0, transform: `translateY(${item.start}px)` }}>
                <Row line={line} open={opened === key(line)} look={() => look(key(line))} />
              </div>
            );
          })}
        </div>
      </div>
    </Card>
  );
}

const key = (line: LogEvent) => `${line.log}:${line.seq}`;

function Row({ line, open, look }: { line: LogEvent; open: boolean; look: () => void }) {
  const who = [line.user && visible(line.user), line.target_user || line.object ? `→ ${visible(String(line.target_user ?? line.object))}` : ''].filter(Boolean).join(' ');
  return (
    <>
      <button type="button" className="rowbutton" aria-expanded={open} onClick={look}>
        <div className={`row log ${open ? 'open' : ''}`}>
          <span title={line.time ?? line.observed_time}>{timeOfDay(line.time ?? line.observed_time)}</span>
          <span>{line.product ?? '–'}</span>
          <span className="wide">{line.action ? `${line.action} ${who}` : (line.level ?? '')}</span>
          <Raw text={line.raw} />
        </div>
      </button>
      {open && <Fields line={line} />}
    </>
  );
}

const HIDDEN = new Set(['raw', 'fields', 'byte_start', 'byte_end', 'class_uid', 'activity_id']);

function Fields({ line }: { line: LogEvent }) {
  const pairs: [string, unknown][] = [
    ...Object.entries(line).filter(([k, v]) => !HIDDEN.has(k) && v !== null),
    ...Object.entries(line.fields ?? {}).map(([k, v]) => [`fields.${k}`, v] as [string, unknown]),
  ];
  return (
    <Table verticalSpacing={2} className="log" aria-label="Columns">
      <Table.Tbody>
        {pairs.map(([k, v]) => (
          <Table.Tr key={k}>
            <Table.Td w={180} className="quiet">
              {visible(k)}
            </Table.Td>
            <Table.Td>
              <Raw text={typeof v === 'string' ? v : JSON.stringify(v)} />
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
