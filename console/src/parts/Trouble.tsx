import { Alert, Text } from '@mantine/core';
import { IconPlugConnectedX } from '@tabler/icons-react';
import { Fault } from '../api';

/** What was tried, what happened, what to do. */
export function Trouble({ doing, error }: { doing: string; error: unknown }) {
  const fault = error instanceof Fault ? error : null;
  return (
    <Alert color="red" variant="light" icon={<IconPlugConnectedX size={18} />} title={`${doing} failed`} role="alert">
      <Text size="sm">{error instanceof Error ? error.message : String(error)}</Text>
      {fault?.next && (
        <Text size="sm" mt={4}>
          What to do: {fault.next}.
        </Text>
      )}
      {fault && (
        <Text size="xs" mt={4} className="quiet">
          Code: {fault.code}
        </Text>
      )}
    </Alert>
  );
}
