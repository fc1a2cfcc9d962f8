import {
  ActionIcon,
  Alert,
  AppShell,
  Box,
  Burger,
  Button,
  Group,
  NavLink,
  Text,
  useComputedColorScheme,
  useMantineColorScheme,
} from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import {
  IconChartDots3,
  IconDatabase,
  IconListDetails,
  IconMoon,
  IconPlayerPlay,
  IconScale,
  IconServer2,
  IconSun,
} from '@tabler/icons-react'
import { useEffect } from 'react'
import { Link, NavLink as RouterLink, Outlet, useLocation, useNavigation } from 'react-router'
import { useConnectionLost } from '../api/connection.ts'
import { Announcer } from '../component/announce.tsx'

const PLACES = [
  { to: '/runs', label: 'Runs', icon: IconListDetails },
  { to: '/models', label: 'Models', icon: IconChartDots3 },
  { to: '/datasets', label: 'Datasets', icon: IconDatabase },
  { to: '/compare', label: 'Compare', icon: IconScale },
  { to: '/system', label: 'Workers and system', icon: IconServer2 },
] as const

/** What is around every page. */
export function Shell() {
  const [opened, { toggle, close }] = useDisclosure(false)
  const { pathname } = useLocation()
  const { state } = useNavigation()
  const lost = useConnectionLost()
  useEffect(close, [pathname])
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 200, breakpoint: 'sm', collapsed: { mobile: !opened } }}
      padding="md"
      transitionDuration={0}
    >
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="xs" wrap="nowrap">
            <Burger
              opened={opened}
              onClick={toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label={opened ? 'Close the navigation' : 'Open the navigation'}
            />
            <Link to="/runs" style={{ display: 'flex', alignItems: 'center', gap: 8, color: 'inherit' }}>
              <img src="/icon.svg" alt="" width={24} height={24} />
              <Text component="span" fw={700}>
                nograd
              </Text>
            </Link>
          </Group>
          <Group gap="xs" wrap="nowrap">
            <Button component={Link} to="/start" size="xs" leftSection={<IconPlayerPlay size={16} aria-hidden />}>
              Start a run
            </Button>
            <SchemeToggle />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Pages" component="nav">
        {PLACES.map(({ to, label, icon: Icon }) => (
          <NavLink
            key={to}
            component={RouterLink}
            to={to}
            label={label}
            leftSection={<Icon size={18} aria-hidden />}
            active={pathname.startsWith(to) || (to === '/runs' && pathname === '/')}
          />
        ))}
        <NavLink component="a" href="/explorer" label="GraphQL explorer" />
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1} aria-busy={state === 'loading'}>
        {lost && (
          <Alert color="orange" mb="sm" role="status" title="Live updates are interrupted">
            The connection to the server is lost; it is being taken up again. What is shown may be old.
          </Alert>
        )}
        <Box maw={1600} mx="auto">
          <Outlet />
        </Box>
      </AppShell.Main>
      <Announcer />
    </AppShell>
  )
}

function SchemeToggle() {
  const { setColorScheme } = useMantineColorScheme()
  const scheme = useComputedColorScheme('light')
  const other = scheme === 'dark' ? 'light' : 'dark'
  return (
    <ActionIcon variant="default" size="lg" onClick={() => setColorScheme(other)} aria-label={`Show it ${other}`}>
      {other === 'dark' ? <IconMoon size={18} aria-hidden /> : <IconSun size={18} aria-hidden />}
    </ActionIcon>
  )
}
