import { Group, Text } from '@mantine/core';
import { IconAlertHexagonFilled, IconAlertTriangleFilled, IconCircleDot, IconInfoCircle, IconUrgent } from '@tabler/icons-react';
import type { Severity } from '../api';

const SHOWN = {
  critical: { icon: IconUrgent, color: 'var(--mantine-color-red-text)' },
  high: { icon: IconAlertHexagonFilled, color: 'var(--mantine-color-red-text)' },
  medium: { icon: IconAlertTriangleFilled, color: 'var(--mantine-color-orange-text)' },
  low: { icon: IconCircleDot, color: 'var(--mantine-color-dimmed)' },
  info: { icon: IconInfoCircle, color: 'var(--mantine-color-dimmed)' },
} as const;

/** Icon and word; the color only repeats them. */
export function SeverityMark({ severity }: { severity: Severity }) {
  const { icon: Icon, color } = SHOWN[severity];
  return (
    <Group gap={6} wrap="nowrap" w="fit-content">
      <Icon size={16} style={{ color, flexShrink: 0 }} aria-hidden />
      <Text size="sm" fw={severity === 'critical' || severity === 'high' ? 600 : 400}>
        {severity}
      </Text>
    </Group>
  );
}
