/** The places of the side bar, in order; also what `g` and a letter, and the palette, go to. */
import type { IconName } from '../icons/names.ts'
import { href } from '../router/location.ts'
import type { RouteName } from '../router/routes.ts'

export interface Entry {
  label: string
  icon: IconName
  href(): string
  /** The pages during which it is the current one. */
  pages: readonly RouteName[]
  /** After `g`. */
  key?: string
}

export const GROUPS: readonly { title: string; entries: readonly Entry[] }[] = [
  {
    title: 'Deliver',
    entries: [
      { label: 'Overview', icon: 'overview', href: () => href('overview'), pages: ['overview'], key: 'o' },
      { label: 'Deployments', icon: 'deployments', href: () => href('deployments'), pages: ['deployments', 'deployment', 'rollout', 'target'], key: 'd' },
      { label: 'Approvals', icon: 'approvals', href: () => href('approvals'), pages: ['approvals'], key: 'a' },
      { label: 'Versions', icon: 'versions', href: () => href('versions'), pages: ['versions', 'version'], key: 'v' },
      { label: 'Jobs', icon: 'jobs', href: () => href('jobs'), pages: ['jobs', 'job'], key: 'j' },
    ],
  },
  {
    title: 'Inventory',
    entries: [
      { label: 'Environments', icon: 'environments', href: () => href('environments'), pages: ['environments'], key: 'n' },
      { label: 'Resources', icon: 'resources', href: () => href('resources'), pages: ['resources', 'resource'], key: 'r' },
    ],
  },
  {
    title: 'Control',
    entries: [
      { label: 'Policies', icon: 'policies', href: () => href('policies'), pages: ['policies', 'policy'], key: 'p' },
      { label: 'Freezes', icon: 'freezes', href: () => href('freezes'), pages: ['freezes'], key: 'f' },
      { label: 'Event log', icon: 'events', href: () => href('events'), pages: ['events'], key: 'e' },
      { label: 'Settings', icon: 'settings', href: () => href('settings', { section: 'keys' }), pages: ['settings'], key: 's' },
    ],
  },
]

export const ENTRIES = GROUPS.flatMap((group) => group.entries)
