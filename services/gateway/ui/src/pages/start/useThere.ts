/** What a workspace has so far, kept true by its facts. */
import { useEffect, useRef } from 'preact/hooks'
import { Coalesced } from '../../api/coalesce.ts'
import type { ApiError } from '../../api/error.ts'
import { useQuery } from '../../api/useQuery.ts'
import { subscribe } from '../../live/link.ts'
import type { There } from './plan.ts'

const ONE = { query: { limit: 1 } }

export interface Seen {
  /** null: not known yet. */
  there: There | null
  error: ApiError | null
  reload(): void
}

export function useThere(): Seen {
  const systems = useQuery('/api/v1/workspaces/{workspaceId}/systems', ONE)
  const environments = useQuery('/api/v1/workspaces/{workspaceId}/environments', ONE)
  const resources = useQuery('/api/v1/workspaces/{workspaceId}/resources', ONE)
  const agents = useQuery('/api/v1/workspaces/{workspaceId}/job-agents', ONE)
  const deployments = useQuery('/api/v1/workspaces/{workspaceId}/deployments', ONE)
  const deploymentId = deployments.data.value?.items[0]?.deployment.id ?? ''
  const versions = useQuery('/api/v1/workspaces/{workspaceId}/deployments/{deploymentId}/versions', { ...ONE, path: { deploymentId }, when: deploymentId !== '' })
  const all = [systems, environments, resources, agents, deployments, versions]
  const newest = useRef(all)
  newest.current = all
  const reload = (heard?: number) => {
    for (const one of newest.current) one.reload(heard)
  }
  // Any fact may be the one that is waited for, whoever made it: this page, or a command in a shell.
  useEffect(() => {
    const coalesced: Coalesced = new Coalesced(async () => reload(coalesced.heard), 200)
    const leave = subscribe({ topics: ['events'], heard: (position) => coalesced.touch(position) })
    return () => {
      leave()
      coalesced.stop()
    }
  }, [])

  const error = all.find((one) => one.error.value)?.error.value ?? null
  const system = systems.data.value
  const environment = environments.data.value
  const resource = resources.data.value
  const agent = agents.data.value
  const deployment = deployments.data.value
  // A deployment that appears has versions to ask for: until these are known the guide stays as it was.
  const known = useRef<There | null>(null)
  if (!system || !environment || !resource || !agent || !deployment || (deploymentId && !versions.data.value)) return { there: known.current, error, reload }
  known.current = {
    system: system.items[0] ?? null,
    environment: environment.items[0] ?? null,
    resource: resource.items[0] ?? null,
    agent: agent.items[0] ?? null,
    deployment: deployment.items[0]?.deployment ?? null,
    version: deploymentId ? (versions.data.value?.items[0] ?? null) : null,
  }
  return { there: known.current, error, reload }
}
