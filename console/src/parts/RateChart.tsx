import { useComputedColorScheme } from '@mantine/core';
import { BarChart } from 'echarts/charts';
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from 'echarts/components';
import * as echarts from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { useEffect, useRef } from 'react';
import type { Overview } from '../api';

echarts.use([BarChart, GridComponent, LegendComponent, TooltipComponent, AriaComponent, SVGRenderer]);

// Distinct in both themes and for the color-blind (after Okabe and Ito).
const COLORS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#999999', '#b3a100'];

/** Events a minute over the last hour, stacked by product. What was not measured is a gap, not a zero. */
export function RateChart({ rate, now }: { rate: Overview['rate']; now: string }) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<echarts.ECharts | null>(null);
  const scheme = useComputedColorScheme('light');

  useEffect(() => {
    if (!box.current) return;
    const made = echarts.init(box.current, null, { renderer: 'svg' });
    chart.current = made;
    const resize = new ResizeObserver(() => made.resize());
    resize.observe(box.current);
    return () => {
      resize.disconnect();
      made.dispose();
      chart.current = null;
    };
  }, []);

  useEffect(() => {
    const text = scheme === 'dark' ? '#c9c9c9' : '#495057';
    const line = scheme === 'dark' ? '#424242' : '#dee2e6';
    const last = new Date(now).getTime();
    const minutes = Array.from({ length: rate.minutes }, (_, i) => new Date(last - (rate.minutes - 1 - i) * 60_000));
    const label = (at: Date) => at.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit', hour12: false });
    const byProduct = new Map<string, (number | null)[]>();
    for (const s of rate.series) {
      const sum = byProduct.get(s.product) ?? Array<number | null>(rate.minutes).fill(null);
      byProduct.set(s.product, sum.map((n, i) => (s.counts[i] == null ? n : (n ?? 0) + (s.counts[i] ?? 0))));
    }
    chart.current?.setOption(
      {
        animation: false,
        color: COLORS,
        aria: { enabled: true },
        grid: { left: 48, right: 8, top: 32, bottom: 24 },
        legend: { top: 0, left: 0, textStyle: { color: text, fontSize: 12 }, itemHeight: 10, itemWidth: 10 },
        tooltip: { trigger: 'axis', confine: true },
        xAxis: { type: 'category', data: minutes.map(label), axisLabel: { color: text, fontSize: 11 }, axisLine: { lineStyle: { color: line } }, axisTick: { show: false } },
        yAxis: { type: 'value', minInterval: 1, axisLabel: { color: text, fontSize: 11 }, splitLine: { lineStyle: { color: line } } },
        series: [...byProduct].map(([name, data]) => ({ name, type: 'bar', stack: 'all', data, barCategoryGap: '20%' })),
      },
      { notMerge: true },
    );
  }, [rate, now, scheme]);

  const total = rate.series.flatMap((s) => s.counts).reduce<number>((sum, n) => sum + (n ?? 0), 0);
  return <div ref={box} role="img" aria-label={`Events a minute over the last hour, ${total} in all`} style={{ height: 220, width: '100%' }} />;
}
