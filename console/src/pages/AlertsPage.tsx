import { Badge, Card, Drawer, Group, SegmentedControl, Select, Skeleton, Stack, Table, Text, Title, UnstyledButton } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { api, type Alert } from '../api';
import { ago, count, dateTime, visible } from '../format';
import { AlertDetail } from '../parts/AlertDetail';
import { SeverityMark } from '../parts/SeverityMark';
import { Trouble } from '../parts/Trouble';

const STATES = [
  { value: 'open', label: 'Open' },
  { value: 'acked', label: 'In hand' },
  { value: 'open,acked', label: 'Both' },
  { value: 'closed', label: 'Closed' },
];
const SEVERITIES = [
  { value: 'all', label: 'Every severity' },
  { value: 'critical,high', label: 'Critical and high' },
  { value: 'critical', label: 'Critical' },
  { value: 'high', label: 'High' },
  { value: 'medium', label: 'Medium' },
  { value: 'low', label: 'Low' },
  { value: 'info', label: 'Info' },
];

export function AlertsPage() {
  const { state, severity } = useSearch({ strict: false }) as { state: string; severity: string };
  const { id } = useParams({ strict: false }) as { id?: string };
  const navigate = useNavigate();
  const narrow = useMediaQuery('(max-width: 900px)');
  const list = useQuery({ queryKey: ['alerts', state, severity], queryFn: () => api.alerts(state, severity), refetchInterval: 3_000 });
  const filter = (change: Partial<{ state: string; severity: string }>) => navigate({ to: '/alerts', search: { state, severity, ...change } });
  const open = (alert: string) => navigate({ to: '/alerts/$id', params: { id: alert }, search: { state, severity } });
  const close = () => navigate({ to: '/alerts', search: { state, severity } });
  return (
    <Stack gap="md">
      <Group justify="space-between">
        <Title order={1}>Alerts</Title>
        <Group gap="sm">
          <SegmentedControl size="xs" data={STATES} value={state} onChange={(v) => filter({ state: v })} aria-label="State" />
          <Select size="xs" w={170} data={SEVERITIES} value={severity} onChange={(v) => filter({ severity: v ?? 'all' })} allowDeselect={false} aria-label="Severity" />
        </Group>
      </Group>
      {list.isError && <Trouble doing="Reading the alerts" error={list.error} />}
      {list.isPending && <Skeleton h={200} aria-label="Loading the alerts" />}
      {list.data && <List alerts={list.data.alerts} total={list.data.total} chosen={id} open={open} />}
      <Drawer.Root opened={id !== undefined} onClose={close} position="right" size={narrow ? '100%' : 'max(40%, 560px)'}>
        <Drawer.Overlay backgroundOpacity={0.2} />
        <Drawer.Content aria-label="Alert">
          <Drawer.Body pt="md">
            <Group justify="flex-end" mb={-28}>
              <Drawer.CloseButton aria-label="Close" />
            </Group>
            {id && <AlertDetail id={id} open={open} />}
          </Drawer.Body>
        </Drawer.Content>
      </Drawer.Root>
    </Stack>
  );
}

function List({ alerts, total, chosen, open }: { alerts: Alert[]; total: number; chosen?: string; open: (id: string) => void }) {
  if (alerts.length === 0) {
    return (
      <Card withBorder padding="lg">
        <Text fw={600}>No alert matches.</Text>
        <Text size="sm" className="quiet" mt={4}>
          A finding of a rule opens one here. To see it happen, run <code>bartizan demo</code>; to test the channels, run <code>bartizan alert test</code>.
        </Text>
      </Card>
    );
  }
  const now = Date.now();
  return (
    <>
      <Card withBorder padding={0} className="wide">
        <Table highlightOnHover verticalSpacing={6} aria-label="Alerts">
          <Table.Thead>
            <Table.Tr>
              <Table.Th w={110}>Severity</Table.Th>
              <Table.Th>What happened</Table.Th>
              <Table.Th w={110}>Cluster</Table.Th>
              <Table.Th w={90}>State</Table.Th>
              <Table.Th w={80} ta="right">
                Count
              </Table.Th>
              <Table.Th w={130}>Last</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {alerts.map((a) => (
              <Table.Tr key={a.id} onClick={() => open(a.id)} style={{ cursor: 'pointer' }} bg={a.id === chosen ? 'var(--mantine-color-default-hover)' : undefined}>
                <Table.Td>
                  <SeverityMark severity={a.severity} />
                </Table.Td>
                <Table.Td>
                  <UnstyledButton onClick={(e) => (e.stopPropagation(), open(a.id))}>
                    <Text size="sm" fw={500}>
                      {visible(a.title)}
                    </Text>
                  </UnstyledButton>
                </Table.Td>
                <Table.Td>{a.cluster ?? '–'}</Table.Td>
                <Table.Td>
                  <StateMark alert={a} />
                </Table.Td>
                <Table.Td ta="right">{count(a.count)}</Table.Td>
                <Table.Td title={`${dateTime(a.last_time)}, ${a.last_time}`}>{ago(a.last_time, now)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Card>
      <Stack gap="xs" className="cards">
        {alerts.map((a) => (
          <Card key={a.id} withBorder padding="sm" mb="xs" component="button" onClick={() => open(a.id)} style={{ textAlign: 'left', width: '100%', font: 'inherit', color: 'inherit' }}>
            <Group justify="space-between">
              <SeverityMark severity={a.severity} />
              <Text size="xs" className="quiet">
                {ago(a.last_time, now)}
              </Text>
            </Group>
            <Text size="sm" mt={4}>
              {visible(a.title)}
            </Text>
          </Card>
        ))}
      </Stack>
      {total > alerts.length && (
        <Text size="sm" className="quiet">
          The newest {count(alerts.length)} of {count(total)}.
        </Text>
      )}
    </>
  );
}

export function StateMark({ alert }: { alert: Alert }) {
  const words = { open: 'open', acked: 'in hand', closed: 'closed' } as const;
  return (
    <Badge size="sm" variant={alert.state === 'open' ? 'filled' : 'default'} color={alert.state === 'open' ? 'dark' : undefined} autoContrast>
      {words[alert.state]}
    </Badge>
  );
}
