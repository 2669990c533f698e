import { Alert as Notice, Card, Grid, Group, Skeleton, Stack, Table, Text, Title } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck, IconEarOff, IconPlayerPause } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { api, type Overview, type Severity, type Source } from '../api';
import { ago, bytes, count, dateTime, rate, visible } from '../format';
import { RateChart } from '../parts/RateChart';
import { SeverityMark } from '../parts/SeverityMark';

const LEVELS: Severity[] = ['critical', 'high', 'medium', 'low', 'info'];

/** Five questions in five seconds: on fire, silent, intact, changed, what next. */
export function OverviewPage() {
  const { data } = useQuery({ queryKey: ['overview'], queryFn: api.overview, refetchInterval: 2_000 });
  if (!data) return <Skeleton h={320} aria-label="Loading the overview" />;
  return (
    <Stack gap="md" maw={1440} mx="auto">
      <Title order={1}>Overview</Title>
      <Sentences data={data} />
      <Grid gap="md">
        <Grid.Col span={{ base: 12, md: 8 }}>
          <Card withBorder padding="md" h="100%">
            <Title order={2}>Events a minute</Title>
            <RateChart rate={data.rate} now={data.now} />
          </Card>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 4 }}>
          <Card withBorder padding="md" h="100%">
            <Title order={2} mb="xs">
              Open alerts
            </Title>
            <Stack gap={6}>
              {LEVELS.map((level) => (
                <Group key={level} justify="space-between">
                  <Link to="/alerts" search={{ state: 'open', severity: level }} className="plainlink">
                    <SeverityMark severity={level} />
                  </Link>
                  <Text fw={data.alerts.open[level] > 0 ? 600 : 400}>{count(data.alerts.open[level])}</Text>
                </Group>
              ))}
              <Text size="sm" className="quiet" mt="xs">
                {count(data.alerts.acked)} in hand, {count(data.alerts.closed_24h)} closed in the last 24 hours
              </Text>
            </Stack>
          </Card>
        </Grid.Col>
      </Grid>
      <Grid gap="md">
        <Grid.Col span={{ base: 12, md: 8 }}>
          <Card withBorder padding="md">
            <Title order={2} mb="xs">
              Components
            </Title>
            <Components data={data} />
          </Card>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 4 }}>
          <Card withBorder padding="md">
            <Title order={2} mb="xs">
              Store and channels
            </Title>
            <Facts data={data} />
          </Card>
        </Grid.Col>
      </Grid>
      <Card withBorder padding="md">
        <Title order={2} mb="xs">
          Sources
        </Title>
        <Sources sources={data.sources} total={data.sources_total} now={new Date(data.now).getTime()} />
      </Card>
    </Stack>
  );
}

function Sentences({ data }: { data: Overview }) {
  const fire = data.alerts.open.critical + data.alerts.open.high;
  const open = LEVELS.reduce((n, l) => n + data.alerts.open[l], 0);
  const silent = data.sources.filter((s) => s.silent).length;
  const one = (icon: ReactNode, text: ReactNode) => (
    <Group gap={8} wrap="nowrap" align="flex-start">
      <span style={{ lineHeight: 0, marginTop: 3 }}>{icon}</span>
      <Text>{text}</Text>
    </Group>
  );
  const red = 'var(--mantine-color-red-text)';
  const gray = 'var(--mantine-color-dimmed)';
  const fine = <IconCircleCheck size={18} color={gray} aria-hidden />;
  return (
    <Card withBorder padding="md">
      {data.intake.state === 'stopped' && (
        <Notice color="red" variant="light" icon={<IconPlayerPause size={18} />} title="Nothing is taken in" mb="sm" role="alert">
          {data.intake.reason}
        </Notice>
      )}
      <Stack gap={6} role="status">
        {fire > 0
          ? one(
              <IconAlertTriangle size={18} color={red} aria-hidden />,
              <>
                <Link to="/alerts" search={{ state: 'open', severity: 'critical,high' }}>
                  {count(fire)} {fire === 1 ? 'alert needs' : 'alerts need'} somebody now
                </Link>
                {open > fire && <>, {count(open - fire)} more can wait.</>}
              </>,
            )
          : one(fine, open > 0 ? <>Nothing is on fire; {count(open)} open {open === 1 ? 'alert' : 'alerts'} can wait.</> : 'No open alerts.')}
        {silent > 0
          ? one(<IconEarOff size={18} color={red} aria-hidden />, `${count(silent)} of ${count(data.sources_total)} sources ${silent === 1 ? 'is' : 'are'} silent.`)
          : data.sources_total > 0
            ? one(fine, `All ${count(data.sources_total)} sources that were heard since the start still speak.`)
            : one(<IconEarOff size={18} color={gray} aria-hidden />, 'No event has arrived since the start. Check the [[source]] paths in the configuration.')}
        {one(
          fine,
          `${count(data.store.events)} events are stored${data.store.oldest ? `, the oldest from ${dateTime(data.store.oldest)}` : ''}. Whether they are intact is not measured yet: the ledger comes later.`,
        )}
      </Stack>
    </Card>
  );
}

function Components({ data }: { data: Overview }) {
  if (data.rate.series.length === 0) return <Text className="quiet">Nothing yet. Events appear here as soon as a source speaks.</Text>;
  return (
    <Table verticalSpacing={4} aria-label="Components">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Component</Table.Th>
          <Table.Th>Cluster</Table.Th>
          <Table.Th className="wide">Last hour</Table.Th>
          <Table.Th ta="right">Events a second</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {data.rate.series.map((s) => {
          const most = Math.max(1, ...s.counts.map((n) => n ?? 0));
          const total = s.counts.reduce<number>((a, n) => a + (n ?? 0), 0);
          return (
            <Table.Tr key={`${s.cluster} ${s.product}`}>
              <Table.Td>{visible(s.product)}</Table.Td>
              <Table.Td>{s.cluster}</Table.Td>
              <Table.Td className="wide">
                <div className="sparks" role="img" aria-label={`${total} events in the last hour`}>
                  {s.counts.map((n, i) => (
                    <span key={i} className={n === null ? 'none' : ''} style={n === null ? {} : { height: `${(100 * n) / most}%` }} />
                  ))}
                </div>
              </Table.Td>
              <Table.Td ta="right">{rate(data.per_second.find((p) => p.product === s.product)?.n ?? 0)}</Table.Td>
            </Table.Tr>
          );
        })}
      </Table.Tbody>
    </Table>
  );
}

function Facts({ data }: { data: Overview }) {
  const used = data.store.disk_total_bytes && data.store.disk_free_bytes !== null ? `${bytes(data.store.disk_free_bytes)} of ${bytes(data.store.disk_total_bytes)} free` : 'unknown';
  const fact = (name: string, value: string) => (
    <Group key={name} justify="space-between" wrap="nowrap" align="flex-start">
      <Text size="sm" className="quiet">
        {name}
      </Text>
      <Text size="sm" ta="right">
        {value}
      </Text>
    </Group>
  );
  return (
    <Stack gap={6}>
      {fact('Disk', used)}
      {fact('Lake', bytes(data.store.lake_bytes))}
      {fact('Rules in force', count(data.rules.n))}
      {fact('Dropped by full queues', count(data.intake.dropped))}
      {data.notify.map((n) => fact(`${n.name} (${n.kind})`, `${count(n.delivered)} sent${n.waiting ? `, ${count(n.waiting)} waiting` : ''}${n.failed ? `, ${count(n.failed)} failed` : ''}`))}
      {data.notify
        .filter((n) => n.last_error)
        .map((n) => (
          <Text key={n.name} size="xs" c="red">
            {n.name}: {visible(n.last_error ?? '')}
          </Text>
        ))}
    </Stack>
  );
}

function Sources({ sources, total, now }: { sources: Source[]; total: number; now: number }) {
  if (sources.length === 0) return <Text className="quiet">No source has spoken since the start. One [[source]] in the configuration brings it: a path, a cluster, a component.</Text>;
  return (
    <>
      <Table verticalSpacing={4} aria-label="Sources">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Source</Table.Th>
            <Table.Th className="wide">Component</Table.Th>
            <Table.Th>Last event</Table.Th>
            <Table.Th ta="right">Events</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {sources.map((s) => (
            <Table.Tr key={s.source} className={s.silent ? 'silent' : ''}>
              <Table.Td>{visible(s.path ?? s.source)}</Table.Td>
              <Table.Td className="wide">
                {s.product ?? 'unknown'}, {s.cluster}
              </Table.Td>
              <Table.Td title={dateTime(s.last_event)}>
                {s.silent ? 'silent, last heard ' : ''}
                {ago(s.last_event, now)}
              </Table.Td>
              <Table.Td ta="right">{count(s.events)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {total > sources.length && (
        <Text size="sm" className="quiet" mt="xs">
          {count(total - sources.length)} more; `bartizan query` lists them all.
        </Text>
      )}
    </>
  );
}
