import { createRootRoute, createRoute, createRouter } from '@tanstack/react-router';
import { AlertsPage } from './pages/AlertsPage';
import { OverviewPage } from './pages/OverviewPage';
import { Shell } from './pages/Shell';
import { TailPage } from './pages/TailPage';

// The URL is the state: a filter or an open alert can be sent to a colleague.
export interface AlertsSearch {
  state: string;
  severity: string;
}

const root = createRootRoute({ component: Shell });

const overview = createRoute({ getParentRoute: () => root, path: '/', component: OverviewPage });
const tail = createRoute({
  getParentRoute: () => root,
  path: '/tail',
  component: TailPage,
  validateSearch: (s: Record<string, unknown>): { q: string } => ({ q: typeof s.q === 'string' ? s.q : '' }),
});
const readAlerts = (s: Record<string, unknown>): AlertsSearch => ({
  state: typeof s.state === 'string' ? s.state : 'open,acked',
  severity: typeof s.severity === 'string' ? s.severity : 'all',
});
const alerts = createRoute({ getParentRoute: () => root, path: '/alerts', component: AlertsPage, validateSearch: readAlerts });
const alert = createRoute({ getParentRoute: () => root, path: '/alerts/$id', component: AlertsPage, validateSearch: readAlerts });
// Signed in already: the setup link leads home.
const setup = createRoute({ getParentRoute: () => root, path: '/setup', component: OverviewPage });

export const router = createRouter({ routeTree: root.addChildren([overview, tail, alerts, alert, setup]) });

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
