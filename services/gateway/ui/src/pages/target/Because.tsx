/** Why the newest version that is held is held, and what the rules would say of another one. */
import type { ComponentChildren } from 'preact'
import { askApproval } from '../../acts/approve.tsx'
import { askEndSkip, askSkip, canSkip } from '../../acts/skip.tsx'
import { standsOf } from '../../acts/words.ts'
import type { Explanation, Reason } from '../../api/schema'
import { useQuery } from '../../api/useQuery.ts'
import { Card, Glyph } from '../../parts/base.tsx'
import { Action } from '../../parts/Button.tsx'
import { Said } from '../../parts/Said.tsx'
import { ErrorCard, Skeleton } from '../../parts/say.tsx'
import { query, setQuery } from '../../router/location.ts'
import { Why } from '../../why/Why.tsx'
import type { Choosable } from './actions.tsx'
import { gistOf, reasonsOf } from './words.ts'

export interface Place {
  resourceId: string
  name: string
  environmentId: string
  environment: string
  deployment: string
}

/** The buttons of a line, for the version it is about. */
export function actsOf(version: Choosable, at: Place, reasons: readonly Reason[], lift: () => void): (reason: Reason) => ComponentChildren {
  const skipped = {
    ...version,
    scopes: [
      { label: at.name, environmentId: at.environmentId, resourceId: at.resourceId },
      { label: `all of ${at.environment}`, environmentId: at.environmentId },
    ],
  }
  const asked = { ...version, deployment: at.deployment, environments: [{ id: at.environmentId, name: at.environment, targets: null, ...standsOf(reasons) }] }
  return (reason) => {
    if (reason.skipId) return <Action small onPress={() => askEndSkip(reason, version.tag)}>End the skip…</Action>
    return (
      <>
        {reason.ruleType === 'anyApproval' ? (
          <>
            <Action small kind="primary" onPress={() => askApproval(asked, 'approved')}>Approve…</Action>
            <Action small kind="danger" onPress={() => askApproval(asked, 'rejected')}>Reject…</Action>
          </>
        ) : null}
        {reason.ruleType === 'badMark' ? <Action small onPress={lift}>Lift the mark…</Action> : null}
        {canSkip(reason) ? <Action small onPress={() => askSkip(reason, skipped)}>Skip…</Action> : null}
      </>
    )
  }
}

interface Props {
  why: Explanation
  at: Place
  targetKey: string
  versions: readonly Choosable[]
  lift(versionId: string, tag: string): void
}

export function Because({ why, at, targetKey, versions, lift }: Props) {
  const chosen = query.value.get('v') ?? ''
  const [first, ...others] = why.versions
  return (
    <Card
      title="Why"
      note={
        <label class="if">
          <span>if it were</span>
          <select class="field" value={chosen} onChange={(event) => setQuery({ v: event.currentTarget.value || null })}>
            <option value="">what is due</option>
            {versions.map((one) => (
              <option key={one.versionId} value={one.versionId}>
                {one.tag}
              </option>
            ))}
          </select>
        </label>
      }
    >
      {chosen ? (
        <IfItWere targetKey={targetKey} version={versions.find((one) => one.versionId === chosen) ?? { versionId: chosen, tag: 'this version' }} at={at} lift={lift} />
      ) : first ? (
        <>
          <Why gist={first.message} reasons={[...first.reasons, ...(first.job ? [first.job] : [])]} act={actsOf(first, at, first.reasons, () => lift(first.versionId, first.tag))} />
          {others.length ? (
            <details class="older">
              <summary>
                {others.length} older {others.length === 1 ? 'version is' : 'versions are'} held as well
              </summary>
              {others.map((one) => (
                <Why key={one.versionId} gist={one.message} reasons={one.reasons} act={actsOf(one, at, one.reasons, () => lift(one.versionId, one.tag))} />
              ))}
            </details>
          ) : null}
        </>
      ) : (
        <p class="in fine" data-st={why.current ? 'healthy' : 'pending'}>
          <Glyph status={why.current ? 'healthy' : 'pending'} />
          <Said>{why.message}</Said>
        </p>
      )}
      {why.warnings.map((one) => (
        <p key={one} class="notice">
          {one}
        </p>
      ))}
    </Card>
  )
}

function IfItWere({ targetKey, version, at, lift }: { targetKey: string; version: Choosable; at: Place; lift: Props['lift'] }) {
  const found = useQuery('/api/v1/workspaces/{workspaceId}/release-targets/{releaseTargetKey}/evaluations', {
    path: { releaseTargetKey: targetKey },
    query: { versionId: version.versionId },
    topics: [`target:${targetKey}`, `version:${version.versionId}`, 'policies', 'freezes'],
  })
  if (found.error.value) {
    return (
      <div class="in">
        <ErrorCard error={found.error.value} what={`What the rules say of ${version.tag}:`} retry={found.reload} />
      </div>
    )
  }
  const told = found.data.value
  if (!told || told.versionId !== version.versionId) return <div class="in">{found.slow.value ? <Skeleton lines={4} /> : null}</div>
  return <Why gist={gistOf(told, version.tag)} reasons={reasonsOf(told)} act={actsOf(version, at, reasonsOf(told), () => lift(version.versionId, version.tag))} />
}
