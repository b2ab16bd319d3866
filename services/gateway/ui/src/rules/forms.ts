/** The common parts of each kind of rule as fields of a form; the rest is written as text. Pure. */
import type { Kind } from './sentences.ts'

export interface Field {
  key: string
  label: string
  type: 'number' | 'text' | 'check' | 'choice' | 'cel'
  /** Of a choice. */
  options?: readonly { value: string; label: string }[]
  unit?: string
  /** May be left out. */
  optional?: boolean
  hint?: string
}

export interface Form {
  title: string
  /** A rule of this kind as one begins with it. */
  fresh: Record<string, unknown>
  fields: readonly Field[]
}

const STATUSES = ['successful', 'failure', 'cancelled', 'skipped', 'invalidJobAgent', 'invalidIntegration', 'externalRunNotFound']
export { STATUSES }

export const FORMS: Readonly<Record<Kind, Form>> = {
  anyApproval: {
    title: 'Approval',
    fresh: { minApprovals: 1 },
    fields: [
      { key: 'minApprovals', label: 'Approvals needed', type: 'number' },
      { key: 'approverSelector', label: 'From whom', type: 'text', optional: true, hint: 'An expression on the person, such as user.roles.exists(r, r == "admin"); empty: anybody.' },
      { key: 'authorMayApprove', label: 'The author of a version may approve it', type: 'check', optional: true },
      { key: 'rejectionBlocks', label: 'One rejection blocks', type: 'check', optional: true },
      { key: 'expiresAfterMinutes', label: 'An approval counts for', type: 'number', unit: 'minutes', optional: true },
    ],
  },
  environmentProgression: {
    title: 'Progression from another environment',
    fresh: { dependsOnEnvironmentSelector: 'environment.name == "staging"', minimumSuccessPercentage: 100 },
    fields: [
      { key: 'dependsOnEnvironmentSelector', label: 'Succeeded first in', type: 'cel' },
      { key: 'minimumSuccessPercentage', label: 'On at least', type: 'number', unit: '% of targets', optional: true },
      { key: 'minimumSoakTimeMinutes', label: 'For', type: 'number', unit: 'minutes', optional: true },
      { key: 'maximumAgeHours', label: 'Not longer ago than', type: 'number', unit: 'hours', optional: true },
      { key: 'requireVerificationPassed', label: 'Its verification passed there', type: 'check', optional: true },
    ],
  },
  gradualRollout: {
    title: 'Gradual rollout',
    fresh: { rolloutType: 'linear', timeScaleInterval: 60 },
    fields: [
      {
        key: 'rolloutType',
        label: 'How',
        type: 'choice',
        options: [
          { value: 'linear', label: 'target by target, so far apart' },
          { value: 'linear-normalized', label: 'target by target, all within' },
          { value: 'waves', label: 'in waves (write them as text)' },
        ],
      },
      { key: 'timeScaleInterval', label: 'Time', type: 'number', unit: 'seconds' },
    ],
  },
  deploymentWindow: {
    title: 'Time window',
    fresh: { rrule: 'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH;BYHOUR=9;BYMINUTE=0', durationMinutes: 480, timezone: 'Europe/Berlin', allowWindow: true },
    fields: [
      {
        key: 'allowWindow',
        label: 'Versions go',
        type: 'choice',
        options: [
          { value: 'true', label: 'only inside of the window' },
          { value: 'false', label: 'only outside of the window' },
        ],
      },
      { key: 'rrule', label: 'It opens', type: 'text', hint: 'A recurrence (RFC 5545), such as FREQ=WEEKLY;BYDAY=MO;BYHOUR=9;BYMINUTE=0.' },
      { key: 'durationMinutes', label: 'For', type: 'number', unit: 'minutes' },
      { key: 'timezone', label: 'Time zone', type: 'text', optional: true, hint: 'Such as Europe/Berlin; empty: UTC.' },
    ],
  },
  deploymentDependency: {
    title: 'Dependency on another deployment',
    fresh: { dependsOn: 'deployment.name == "database"' },
    fields: [{ key: 'dependsOn', label: 'What must run on the same resource', type: 'cel' }],
  },
  versionCooldown: {
    title: 'Cooldown between versions',
    fresh: { intervalSeconds: 3600 },
    fields: [{ key: 'intervalSeconds', label: 'Pass over versions made less than', type: 'number', unit: 'seconds after the one that runs' }],
  },
  versionSelector: {
    title: 'Selection of versions',
    fresh: { selector: 'version.tag.startsWith("v")' },
    fields: [
      { key: 'selector', label: 'Only versions that fit', type: 'cel' },
      { key: 'description', label: 'In words', type: 'text', optional: true },
    ],
  },
  retry: {
    title: 'Retry of failed jobs',
    fresh: { maxRetries: 2, backoffSeconds: 30 },
    fields: [
      { key: 'maxRetries', label: 'Tries again at most', type: 'number', unit: 'times' },
      { key: 'backoffSeconds', label: 'After', type: 'number', unit: 'seconds', optional: true },
      {
        key: 'backoffStrategy',
        label: 'The pause',
        type: 'choice',
        optional: true,
        options: [
          { value: '', label: 'stays the same' },
          { value: 'exponential', label: 'doubles each time' },
        ],
      },
    ],
  },
  rollback: {
    title: 'Rollback',
    fresh: { onJobStatuses: ['failure'], onVerificationFailure: true },
    fields: [{ key: 'onVerificationFailure', label: 'When its verification fails', type: 'check', optional: true }],
  },
  verification: {
    title: 'Verification',
    fresh: {
      triggerOn: 'jobSuccess',
      metrics: [
        {
          name: 'health',
          intervalSeconds: 30,
          count: 5,
          provider: { type: 'http', url: 'https://{{.resource.name}}.example.com/health' },
          successCondition: 'result.statusCode == 200',
        },
      ],
    },
    fields: [],
  },
  planValidationOpa: { title: 'Validation of plans', fresh: { name: 'no deletions', rego: 'package signalbox\n\nimport rego.v1\n\ndeny contains "deletes" if false\n' }, fields: [] },
}

/** A policy while it is written. */
export interface Draft {
  name: string
  description?: string
  selector: string
  priority: number
  enabled: boolean
  metadata: Record<string, string>
  rules: Record<string, unknown>[]
}

export const FRESH: Draft = { name: '', selector: 'environment.name == "production"', priority: 0, enabled: true, metadata: {}, rules: [{ anyApproval: { minApprovals: 1 } }] }

/** What of a policy can be changed: without what the log keeps of it. */
export function draftOf(policy: Record<string, unknown>): Draft {
  const rules = Array.isArray(policy['rules']) ? (policy['rules'] as Record<string, unknown>[]) : []
  const text = (key: string) => (typeof policy[key] === 'string' ? (policy[key] as string) : '')
  return {
    name: text('name'),
    ...(text('description') ? { description: text('description') } : {}),
    selector: text('selector'),
    priority: typeof policy['priority'] === 'number' ? policy['priority'] : 0,
    enabled: policy['enabled'] !== false,
    metadata: (policy['metadata'] as Record<string, string> | undefined) ?? {},
    rules: rules.map(({ policyId: _p, createdAt: _c, ...rule }) => rule),
  }
}

/** A text that was read, as a draft; a sentence where it is none. */
export function draftFrom(value: unknown): Draft | string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'The text must be one object with name, selector and rules.'
  const given = value as Record<string, unknown>
  if (given['rules'] !== undefined && !Array.isArray(given['rules'])) return '“rules” must be a list.'
  if ((given['rules'] as unknown[] | undefined)?.some((rule) => typeof rule !== 'object' || rule === null || Array.isArray(rule))) return 'Each rule must be an object.'
  return { ...FRESH, ...(given as Partial<Draft>), rules: (given['rules'] ?? []) as Draft['rules'] }
}

/** A body with one of its fields changed; an optional one that is empty is left out. */
export function withField(body: Record<string, unknown>, field: Field, value: string | boolean): Record<string, unknown> {
  const { [field.key]: _before, ...rest } = body
  if (field.type === 'check') return value ? { ...rest, [field.key]: true } : rest
  if (value === '' && field.optional) return rest
  if (field.type === 'number') return { ...body, [field.key]: value === '' || Number.isNaN(Number(value)) ? value : Number(value) }
  if (field.type === 'choice' && (value === 'true' || value === 'false')) return { ...body, [field.key]: value === 'true' }
  return { ...body, [field.key]: value }
}
