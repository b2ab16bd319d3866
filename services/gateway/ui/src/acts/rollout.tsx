/** What one can do to a deployment in an environment, or to all of an environment; each asked first, with what follows from it. */
import { get, send } from '../api/client.ts'
import { confirm } from '../parts/Dialog.tsx'
import { toast } from '../parts/say.tsx'
import { type Tagged, askPin, askUnpin } from './pin.tsx'
import { type Pair, liftWords, pinWords, redeployWords, rollbackWords, unpinWords } from './rolloutWords.ts'
import { counted } from './words.ts'

const BASE = '/api/v1/workspaces/{workspaceId}/deployments/{deploymentId}/environments/{environmentId}' as const
const WHOLE = '/api/v1/workspaces/{workspaceId}/environments/{environmentId}/rollback' as const

const ids = ({ deployment, environment }: Pair) => ({ deploymentId: deployment.id, environmentId: environment.id })

/** What can not be done says why, before anybody is asked. */
async function asked<T>(ask: Promise<T>): Promise<T | null> {
  try {
    return await ask
  } catch (failure) {
    toast('failed', failure instanceof Error ? failure.message : String(failure))
    return null
  }
}

/** Roll the rollout of a version back; all targets whatever they run, when none is named. */
export async function rollBack(pair: Pair, version?: Tagged): Promise<void> {
  const from = version ? { fromVersionId: version.versionId } : {}
  const ways = await asked(get(`${BASE}/rollback`, { path: ids(pair), query: from }))
  if (!ways) return
  const where = `${pair.deployment.name} in ${pair.environment.name}`
  confirm({
    title: version ? `Roll back ${version.tag} of ${where}?` : `Roll back ${where}?`,
    consequence: rollbackWords(ways, where, false),
    verb: 'Roll back',
    danger: true,
    reason: 'required',
    act: async ({ reason, key }) => {
      const done = await send('post', `${BASE}/rollback`, { path: ids(pair), body: { reason, fromVersionId: version?.versionId ?? null, versionId: null }, key })
      toast('healthy', `${counted(done.targets, 'target')} of ${where} ${done.targets === 1 ? 'goes' : 'go'} back.`)
    },
  })
}

/** Roll back every target of an environment, whatever its deployment. */
export async function rollEverythingBack(environment: { id: string; name: string }): Promise<void> {
  const path = { environmentId: environment.id }
  const ways = await asked(get(WHOLE, { path }))
  if (!ways) return
  confirm({
    title: `Roll back all of ${environment.name}?`,
    consequence: rollbackWords(ways, environment.name, true),
    verb: `Roll back ${counted(ways.targets, 'target')}`,
    danger: true,
    reason: 'required',
    act: async ({ reason, key }) => {
      const done = await send('post', WHOLE, { path, body: { reason }, key })
      toast('healthy', `${counted(done.targets, 'target')} in ${environment.name} ${done.targets === 1 ? 'goes' : 'go'} back.`)
    },
  })
}

export function redeploy(pair: Pair, targets: number, tags: readonly string[]): void {
  const where = `${pair.deployment.name} in ${pair.environment.name}`
  confirm({
    title: `Deploy ${where} again?`,
    consequence: redeployWords(pair, targets, tags),
    verb: 'Deploy again',
    reason: 'optional',
    act: async ({ reason, key }) => {
      const done = await send('post', `${BASE}/redeploy`, { path: ids(pair), body: { reason }, key })
      toast('healthy', `${counted(done.targets, 'target')} of ${where} ${done.targets === 1 ? 'is' : 'are'} deployed again.`)
    },
  })
}

/** Pin to one of these versions; what runs is offered first. */
export function pin(pair: Pair, targets: number, choices: readonly Tagged[], running: string | undefined): void {
  askPin({
    what: `${pair.deployment.name} in ${pair.environment.name}`,
    choices,
    running,
    words: (tag) => pinWords(pair, targets, tag),
    send: (versionId, reason, key) => send('put', `${BASE}/pin`, { path: ids(pair), body: { versionId, reason }, key }),
  })
}

export function unpin(pair: Pair, targets: number, tag: string): void {
  askUnpin({
    what: `${pair.deployment.name} in ${pair.environment.name}`,
    words: unpinWords(pair, targets, tag),
    send: (key) => send('delete', `${BASE}/pin`, { path: ids(pair), key }),
  })
}

export function lift(pair: Pair, version: Tagged): void {
  confirm({
    title: `Lift the mark of ${version.tag}?`,
    consequence: liftWords(pair, version.tag),
    verb: 'Lift the mark',
    act: async ({ key }) => {
      const done = await send('delete', `${BASE}/bad-versions/{versionId}`, { path: { ...ids(pair), versionId: version.versionId }, key })
      toast('healthy', `The mark of ${version.tag} is lifted on ${counted(done.targets, 'target')}.`)
    },
  })
}
