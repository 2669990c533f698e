import { Anchor, Badge, Button, Card, Code, Group, Select, Skeleton, Stack, Text, Textarea, Title } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, type Alert, type AlertState, type EvidenceLine } from '../api';
import { count, dateTime, span, timeOfDay, visible } from '../format';
import { StateMark } from '../pages/AlertsPage';
import { Raw } from './Raw';
import { SeverityMark } from './SeverityMark';
import { Trouble } from './Trouble';

const VERDICTS = [
  { value: 'true_positive', label: 'True: it was an attack or a failure' },
  { value: 'benign', label: 'Benign: it was meant to happen' },
  { value: 'false_positive', label: 'False: the rule was wrong' },
];

/** One alert: what happened, the lines that made it, what to do next, and what people say of it. */
export function AlertDetail({ id, open }: { id: string; open: (id: string) => void }) {
  const { data, error, isError, isPending } = useQuery({ queryKey: ['alert', id], queryFn: () => api.alert(id), refetchInterval: 5_000 });
  if (isError) return <Trouble doing="Reading the alert" error={error} />;
  if (isPending) return <Skeleton h={240} aria-label="Loading the alert" />;
  const { alert, lines, similar } = data;
  return (
    <Stack gap="md">
      <div>
        <Group gap="sm" mb={4}>
          <SeverityMark severity={alert.severity} />
          <StateMark alert={alert} />
          {alert.historical && (
            <Badge size="sm" variant="default">
              from an import
            </Badge>
          )}
        </Group>
        <Title order={2}>{visible(alert.title)}</Title>
        <Text size="sm" className="quiet" title={`${alert.first_time} to ${alert.last_time} UTC`}>
          {dateTime(alert.first_time)} to {dateTime(alert.last_time)}, {count(alert.count)} {alert.count === 1 ? 'time' : `times ${span(alert.first_time, alert.last_time)}`}
          {alert.cluster ? `, cluster ${alert.cluster}` : ''}
        </Text>
      </div>
      <Card withBorder padding="sm">
        <Title order={3}>What to do next</Title>
        <Text size="sm">{visible(alert.next)}</Text>
      </Card>
      <Group gap="xs">
        {Object.entries(alert.subject).map(([k, v]) => (
          <Badge key={k} variant="default" size="md" tt="none">
            {k} {visible(v)}
          </Badge>
        ))}
        {alert.attack.map((t) => (
          <Badge key={t} variant="default" size="md" tt="none" title="MITRE ATT&CK">
            ATT&amp;CK {t}
          </Badge>
        ))}
      </Group>
      <div>
        <Title order={3} mb={4}>
          The lines that made it
        </Title>
        <Lines lines={lines} total={alert.count} />
      </div>
      <Say alert={alert} />
      {similar.length > 0 && (
        <div>
          <Title order={3} mb={4}>
            Others of this rule
          </Title>
          <Stack gap={4}>
            {similar.map((a) => (
              <Group key={a.id} gap="xs" wrap="nowrap">
                <StateMark alert={a} />
                <Anchor component="button" type="button" size="sm" ta="left" onClick={() => open(a.id)}>
                  {visible(a.title)}
                </Anchor>
              </Group>
            ))}
          </Stack>
        </div>
      )}
      <Text size="xs" className="quiet">
        Alert <Code>{alert.id}</Code>, rule <Code>{alert.rule}</Code>
      </Text>
    </Stack>
  );
}

function Lines({ lines, total }: { lines: EvidenceLine[]; total: number }) {
  if (lines.length === 0) return <Text className="quiet">No line is left of it.</Text>;
  return (
    <Card withBorder padding={0}>
      {lines.map((l) => (
        <div key={l.name} style={{ padding: '6px 12px', borderBottom: '1px solid var(--mantine-color-default-border)' }}>
          <Group gap="sm" mb={2}>
            <Text size="xs" className="quiet" title={`${l.time ?? 'no time'}, ${l.name}`}>
              {timeOfDay(l.time)}
            </Text>
            <Text size="xs" className="quiet">
              {[l.product, l.stream].filter(Boolean).join(' ')}
            </Text>
            {l.action && (
              <Text size="xs">
                {l.action} {l.status ?? ''}
              </Text>
            )}
          </Group>
          {l.raw === null ? <Text size="sm" className="quiet">{l.gone === 'erased' ? 'This line was erased.' : 'This line was deleted by retention.'}</Text> : <Raw text={l.raw} />}
        </div>
      ))}
      {total > lines.length && (
        <Text size="xs" className="quiet" p="xs">
          The first and the last of them; a search for the subject shows all.
        </Text>
      )}
    </Card>
  );
}

function Say({ alert }: { alert: Alert }) {
  const [note, setNote] = useState('');
  const [verdict, setVerdict] = useState<string | null>(null);
  const queries = useQueryClient();
  const say = useMutation({
    mutationFn: (state: AlertState) => api.say(alert.id, state, note, state === 'closed' ? (verdict ?? undefined) : undefined),
    onSuccess: async ({ alert: now }) => {
      setNote('');
      notifications.show({ message: now.state === 'acked' ? 'You have it in hand.' : now.state === 'closed' ? 'Closed.' : 'Open again.' });
      await queries.invalidateQueries();
    },
  });
  return (
    <Card withBorder padding="sm">
      {alert.by && (
        <Text size="sm" mb="xs">
          {visible(alert.by)}: {alert.state === 'acked' ? 'has it in hand' : alert.state}
          {alert.verdict ? ` (${alert.verdict.replaceAll('_', ' ')})` : ''}
          {alert.note ? `: ${visible(alert.note)}` : ''}
        </Text>
      )}
      <Stack gap="xs">
        <Textarea label="Note" value={note} onChange={(e) => setNote(e.currentTarget.value)} autosize minRows={1} maxRows={6} maxLength={4000} />
        {alert.state !== 'closed' && (
          <Select label="Verdict, to close it" placeholder="What was it?" data={VERDICTS} value={verdict} onChange={setVerdict} clearable />
        )}
        {say.isError && <Trouble doing="Changing the alert" error={say.error} />}
        <Group gap="xs">
          {alert.state === 'open' && (
            <Button size="xs" onClick={() => say.mutate('acked')} loading={say.isPending}>
              Acknowledge
            </Button>
          )}
          {alert.state !== 'closed' && (
            <Button size="xs" variant="default" onClick={() => say.mutate('closed')} loading={say.isPending}>
              Close
            </Button>
          )}
          {alert.state !== 'open' && (
            <Button size="xs" variant="default" onClick={() => say.mutate('open')} loading={say.isPending}>
              Open again
            </Button>
          )}
        </Group>
      </Stack>
    </Card>
  );
}
