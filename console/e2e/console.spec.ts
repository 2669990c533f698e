// The console as a person uses it: the setup link, the overview, an alert with its lines, the live tail, both themes, keyboard only, axe.

import { expect, test, type Page } from '@playwright/test';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const shots = process.env.CONSOLE_SHOTS;
const PASSWORD = 'a long enough password';

test.describe.configure({ mode: 'serial' });

/** A drawer that is fading in has colors that nobody reads: what is judged is the page at rest. (A spinner never rests and is not waited for.) */
async function atRest(page: Page) {
  await page.waitForFunction(async () => {
    for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
    return document.getAnimations().every((a) => a.playState !== 'running' || a.effect?.getComputedTiming().endTime === Infinity);
  });
}

async function noViolations(page: Page) {
  await atRest(page);
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const result = await (window as unknown as { axe: { run: () => Promise<{ violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[] }> } }).axe.run();
    return result.violations.map((v) => `${v.id}: ${v.nodes[0]?.html} ${v.nodes[0]?.failureSummary ?? ''}`);
  });
  expect(found).toEqual([]);
}

async function shot(page: Page, name: string) {
  if (!shots) return;
  for (const [size, width, height] of [['wide', 1280, 800], ['narrow', 390, 844]] as const) {
    for (const scheme of ['light', 'dark'] as const) {
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme: scheme });
      await page.waitForTimeout(300); // a picture is not an assertion: let charts settle
      await page.screenshot({ path: `${shots}/${name}-${size}-${scheme}.png` });
    }
  }
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.emulateMedia({ colorScheme: 'light' });
}

async function signIn(page: Page) {
  await page.goto('/');
  await page.getByLabel('Account').fill('dba');
  await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { name: 'Overview' })).toBeVisible();
}

test('nobody sees anything without an account', async ({ page, request }) => {
  for (const path of ['overview', 'alerts', 'events', 'tail/fields']) {
    expect((await request.get(`/api/v1/${path}`)).status()).toBe(401);
  }
  await page.goto('/alerts');
  await expect(page.getByText('Nobody has an account yet')).toBeVisible();
  await shot(page, 'locked');
});

test('the setup link makes the first account, once', async ({ page }) => {
  const link = process.env.CONSOLE_SETUP!;
  await page.goto(link);
  await page.getByLabel('Account').fill('dba');
  await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
  await noViolations(page);
  await page.getByRole('button', { name: 'Make the account' }).click();
  await expect(page.getByRole('heading', { name: 'Overview' })).toBeVisible();
  expect(new URL(page.url()).hash).toBe('');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('heading', { name: 'Sign in to Bartizan' })).toBeVisible();
  await page.goto('about:blank');
  await page.goto(link);
  await page.getByLabel('Account').fill('eve');
  await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Make the account' }).click();
  await expect(page.getByRole('alert')).toContainText('used already');
});

test('a wrong password is refused, the right one is not', async ({ page }) => {
  await page.goto('/');
  await page.getByLabel('Account').fill('dba');
  await page.getByRole('textbox', { name: 'Password' }).fill('not this one at all');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toContainText('wrong');
  await page.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { name: 'Overview' })).toBeVisible();
});

test('the overview tells the story, in both themes', async ({ page }) => {
  await signIn(page);
  await expect(page.getByText(/somebody now/)).toBeVisible();
  await expect(page.getByRole('table', { name: 'Components' })).toContainText('tidb');
  await expect(page.getByRole('table', { name: 'Components' })).toContainText('milvus');
  await expect(page.getByRole('table', { name: 'Sources' })).toContainText('tidb-0.log');
  await noViolations(page);
  await page.getByRole('button', { name: 'Dark theme' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-mantine-color-scheme', 'dark');
  await noViolations(page);
  await page.getByRole('button', { name: 'Light theme' }).click();
  await page.evaluate(() => localStorage.clear());
  await page.reload();
  await expect(page.getByRole('table', { name: 'Components' })).toBeVisible();
  await shot(page, 'overview');
});

test('an alert shows its lines and takes a word', async ({ page }) => {
  await signIn(page);
  await page.keyboard.press('a');
  await expect(page.getByRole('heading', { name: 'Alerts' })).toBeVisible();
  await noViolations(page);
  await shot(page, 'alerts');
  await page.getByRole('button', { name: /203\.0\.113\.77 tried/ }).first().click();
  const alert = page.getByRole('dialog');
  await expect(alert.getByText('What to do next')).toBeVisible();
  await expect(alert.getByText(/Access denied for user/).first()).toBeVisible();
  await noViolations(page);
  await shot(page, 'alert');
  const id = page.url().match(/alerts\/([0-9a-f]+)/)![1];
  await alert.getByLabel('Note').fill('looking at it');
  await alert.getByRole('button', { name: 'Acknowledge' }).click();
  await expect(alert.getByText('dba: has it in hand: looking at it')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
  await page.goto(`/alerts/${id}`);
  await expect(page.getByRole('dialog').getByText('looking at it')).toBeVisible();
});

test('the tail shows lines as they come, pauses, filters', async ({ page }) => {
  await signIn(page);
  await page.keyboard.press('t');
  const lines = page.getByRole('region', { name: 'Lines, newest first' });
  await expect(lines.getByRole('button').first()).toBeVisible();
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(page.getByText(/Paused since/)).toBeVisible();
  const first = await lines.getByRole('button').first().textContent();
  await expect(page.getByRole('button', { name: /new event/ })).toBeVisible();
  expect(await lines.getByRole('button').first().textContent()).toBe(first);
  await noViolations(page);
  await shot(page, 'tail');
  await lines.getByRole('button').first().click();
  await expect(page.getByRole('table', { name: 'Columns' })).toContainText('product');
  await page.getByLabel('Filter').fill('product:milvus');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/q=product/);
  await page.getByRole('button', { name: 'Go on' }).click();
  await expect(lines.getByText('milvus').first()).toBeVisible();
  await expect(lines.getByText('tikv', { exact: true })).toHaveCount(0);
});

test('everything can be reached by keyboard', async ({ page }) => {
  await signIn(page);
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to content' })).toBeFocused();
  for (let i = 0; i < 12; i += 1) {
    await page.keyboard.press('Tab');
    if (await page.getByRole('link', { name: /^Alerts/ }).first().evaluate((e) => e === document.activeElement)) break;
  }
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Alerts' })).toBeVisible();
});
