/** Every page by its name; the name is also its folder under `pages/`. The URL is the state. */
import { type Params, build, match } from './pattern.ts'

export const ROUTES = {
  signin: '/signin',
  home: '/',
  overview: '/w/:w',
  deployments: '/w/:w/d',
  deployment: '/w/:w/d/:deploymentId',
  rollout: '/w/:w/d/:deploymentId/e/:environmentId',
  target: '/w/:w/t/:releaseTargetKey',
  approvals: '/w/:w/approvals',
  versions: '/w/:w/versions',
  version: '/w/:w/v/:versionId',
  environments: '/w/:w/environments',
  resources: '/w/:w/resources',
  resource: '/w/:w/r/:identifier',
  policies: '/w/:w/policies',
  policy: '/w/:w/p/:policyId',
  freezes: '/w/:w/freezes',
  jobs: '/w/:w/jobs',
  job: '/w/:w/j/:jobId',
  events: '/w/:w/events',
  settings: '/w/:w/settings/:section',
  start: '/w/:w/start',
} as const

export type RouteName = keyof typeof ROUTES
export type RouteParams<N extends RouteName> = Params<(typeof ROUTES)[N]>

/** A page that the address names, or null. */
export interface Place<N extends RouteName = RouteName> {
  name: N
  params: RouteParams<N>
}

/** Which page a path is; null: none. */
export function placeOf(path: string): Place | null {
  for (const name of Object.keys(ROUTES) as RouteName[]) {
    const params = match(ROUTES[name], path)
    if (params) return { name, params }
  }
  return null
}

/** The slug of the workspace that a path is below; '' for none. */
export function slugOf(path: string): string {
  return match('/w/:w', path.split('/', 3).join('/'))?.w ?? ''
}

export type Search = Record<string, string | number | boolean | null | undefined>

/** The path of a page. */
export function pathOf<N extends RouteName>(name: N, params: RouteParams<N>): string {
  return build(ROUTES[name] as string, params as never)
}

/** A search string with its question mark; null, undefined, false and '' are left out, `at` comes last. */
export function searchOf(search: Search): string {
  const out = new URLSearchParams()
  for (const [name, value] of Object.entries(search)) {
    if (name !== 'at' && value !== null && value !== undefined && value !== false && value !== '') out.set(name, String(value))
  }
  const at = search['at']
  if (at !== null && at !== undefined && at !== '') out.set('at', String(at))
  const text = out.toString()
  return text ? `?${text}` : ''
}
