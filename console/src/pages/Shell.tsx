import { ActionIcon, AppShell, Badge, Burger, Group, NavLink, Skeleton, Text, Tooltip, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { useDisclosure, useHotkeys } from '@mantine/hooks';
import { IconAlertTriangle, IconLayoutDashboard, IconLogout, IconMoon, IconSun, IconTimeline } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { api } from '../api';
import { Trouble } from '../parts/Trouble';
import { SignInPage } from './SignInPage';

const PLACES = [
  { to: '/', label: 'Overview', icon: IconLayoutDashboard, key: 'o' },
  { to: '/alerts', label: 'Alerts', icon: IconAlertTriangle, key: 'a' },
  { to: '/tail', label: 'Live tail', icon: IconTimeline, key: 't' },
] as const;

export function Shell() {
  const session = useQuery({ queryKey: ['session'], queryFn: api.session, staleTime: 60_000 });
  if (session.isPending) return <Skeleton h={64} m="md" aria-label="Loading" />;
  if (session.isError) {
    return (
      <main style={{ maxWidth: 560, margin: '64px auto', padding: 16 }}>
        <Trouble doing="Reaching the server" error={session.error} />
      </main>
    );
  }
  if (!session.data.user) return <SignInPage session={session.data} />;
  return <Inside demo={session.data.demo} user={session.data.user} />;
}

function Inside({ demo, user }: { demo: boolean; user: string }) {
  const [menu, { toggle, close }] = useDisclosure(false);
  const navigate = useNavigate();
  const queries = useQueryClient();
  const path = useRouterState({ select: (s) => s.location.pathname });
  const overview = useQuery({ queryKey: ['overview'], queryFn: api.overview, refetchInterval: 2_000 });
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme('light');
  useHotkeys(PLACES.map((p) => [p.key, () => navigate({ to: p.to })] as [string, () => void]));

  const open = overview.data ? Object.values(overview.data.alerts.open).reduce((a, b) => a + b, 0) : 0;
  const logOut = async () => {
    await api.logOut();
    await queries.invalidateQueries({ queryKey: ['session'] });
  };
  return (
    <AppShell header={{ height: 48 }} navbar={{ width: 200, breakpoint: 900, collapsed: { mobile: !menu } }} padding="md">
      <a className="skip" href="#main">
        Skip to content
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger opened={menu} onClick={toggle} className="menubutton" size="sm" aria-label="Menu" />
            <img src="/favicon.svg" width={22} height={22} alt="" />
            <Text fw={600} size="md">
              Bartizan
            </Text>
            {demo && (
              <Tooltip label="A simulated incident. Everybody on this machine is signed in.">
                <Badge variant="default" size="sm">
                  demo
                </Badge>
              </Tooltip>
            )}
          </Group>
          <Group gap="xs" wrap="nowrap">
            <Text size="sm" className="quiet" visibleFrom="sm">
              {user}
            </Text>
            <ActionIcon variant="default" aria-label={scheme === 'dark' ? 'Light theme' : 'Dark theme'} onClick={() => setColorScheme(scheme === 'dark' ? 'light' : 'dark')}>
              {scheme === 'dark' ? <IconSun size={16} /> : <IconMoon size={16} />}
            </ActionIcon>
            {!demo && (
              <ActionIcon variant="default" aria-label="Sign out" onClick={logOut}>
                <IconLogout size={16} />
              </ActionIcon>
            )}
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs">
        <nav aria-label="Main">
          {PLACES.map(({ to, label, icon: Icon, key }) => (
            <NavLink
              key={to}
              component={Link}
              to={to}
              label={label}
              leftSection={<Icon size={18} aria-hidden />}
              rightSection={
                to === '/alerts' && open > 0 ? (
                  <Badge size="sm" variant="filled" color="red" aria-label={`${open} open`}>
                    {open}
                  </Badge>
                ) : (
                  <Text size="xs" className="quiet" aria-hidden>
                    {key}
                  </Text>
                )
              }
              active={to === '/' ? path === '/' : path.startsWith(to)}
              onClick={close}
            />
          ))}
        </nav>
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1}>
        {overview.isError && <Trouble doing="Reaching the server" error={overview.error} />}
        <Outlet />
      </AppShell.Main>
    </AppShell>
  );
}
