/** Let one version pass one rule, for a time, with a reason. */
import { type Signal, signal } from '@preact/signals'
import { useId } from 'preact/hooks'
import { send } from '../api/client.ts'
import type { Reason } from '../api/schema'
import { confirm } from '../parts/Dialog.tsx'
import { toast } from '../parts/say.tsx'
import { now } from '../time/clock.ts'
import { titleOf } from '../why/words.ts'
import '../styles/shared.css'
import { EXPIRIES, expiries, skipWords } from './words.ts'

export interface Skipped {
  versionId: string
  tag: string
  /** Where it may be skipped, narrowest first. */
  scopes: readonly { label: string; environmentId?: string; resourceId?: string }[]
}

/** Whether a line of an explanation is a rule of a policy, which can be skipped; the rest is how things are. */
export function canSkip(reason: Reason): boolean {
  return reason.verdict !== 'allowed' && reason.ruleId !== '' && reason.policyId !== ''
}

/** Ask, and let it pass. */
export function askSkip(reason: Reason, { versionId, tag, scopes }: Skipped): void {
  const scope = signal(0)
  const lasts = signal(0)
  const ends = expiries()
  const rule = `${titleOf(reason.ruleType)} of ${reason.policyName || 'its policy'}`
  confirm({
    title: `Let ${tag} pass ${titleOf(reason.ruleType).toLowerCase()}?`,
    consequence: <Words tag={tag} rule={rule} scope={scope} lasts={lasts} scopes={scopes} />,
    more: (
      <div class="form-row">
        {scopes.length > 1 ? <Choice label="Where" value={scope} options={scopes.map((one) => one.label)} /> : null}
        <Choice label="How long" value={lasts} options={EXPIRIES.map((one) => one.label)} />
      </div>
    ),
    verb: 'Skip the rule',
    danger: true,
    reason: 'required',
    act: async ({ reason: because, key }) => {
      const { environmentId, resourceId } = scopes[scope.peek()] ?? {}
      const expiresAt = ends(key, EXPIRIES[lasts.peek()]?.hours ?? null, now.peek())
      await send('post', '/api/v1/workspaces/{workspaceId}/policy-skips', {
        body: {
          ruleId: reason.ruleId,
          versionId,
          reason: because,
          environmentId: environmentId ?? null,
          resourceId: resourceId ?? null,
          expiresAt: expiresAt ?? null,
        },
        key,
      })
      toast('healthy', `${tag} passes ${titleOf(reason.ruleType).toLowerCase()} ${EXPIRIES[lasts.peek()]?.label ?? ''}.`)
    },
  })
}

/** Ask, and have the rule hold again. */
export function askEndSkip(reason: Reason, tag: string): void {
  const skipId = reason.skipId
  if (!skipId) return
  confirm({
    title: `Have ${titleOf(reason.ruleType).toLowerCase()} hold ${tag} again?`,
    consequence: `Ends the skip: ${tag} goes no further until the rule itself allows it. What was deployed meanwhile stays.`,
    verb: 'End the skip',
    act: async ({ key }) => {
      await send('delete', '/api/v1/workspaces/{workspaceId}/policy-skips/{skipId}', { path: { skipId }, key })
      toast('healthy', `The rule holds ${tag} again.`)
    },
  })
}

interface WordsProps {
  tag: string
  rule: string
  scope: Signal<number>
  lasts: Signal<number>
  scopes: Skipped['scopes']
}

function Words({ tag, rule, scope, lasts, scopes }: WordsProps) {
  return <>{skipWords(tag, rule, scopes[scope.value]?.label ?? '', EXPIRIES[lasts.value]?.label ?? '')}</>
}

export function Choice({ label, value, options }: { label: string; value: Signal<number>; options: readonly string[] }) {
  const id = useId()
  return (
    <div class="labelled">
      <label for={id}>{label}</label>
      <select id={id} class="field" value={String(value.value)} onChange={(event) => (value.value = Number(event.currentTarget.value))}>
        {options.map((one, index) => (
          <option key={one} value={String(index)}>
            {one}
          </option>
        ))}
      </select>
    </div>
  )
}
