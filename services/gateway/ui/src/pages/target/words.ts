/** What a release target's page says and shows that needs working out. Pure. */
import type { Evaluations, Measurement, MetricStatus, Reason } from '../../api/schema'

/** What every rule says of a version, as the lines of an explanation. */
export function reasonsOf(found: Evaluations): Reason[] {
  return found.policyResults.flatMap(({ policy, ruleResults }) =>
    ruleResults.map((rule): Reason => {
      const { details } = rule
      return {
        ruleId: policy ? rule.ruleId : '',
        ruleType: rule.ruleType,
        policyId: policy?.id ?? '',
        policyName: policy?.name ?? '',
        verdict: details.verdict,
        message: rule.message,
        endedBy: details.endedBy,
        whoEnds: details.whoEnds,
        facts: details.facts,
        ...(rule.nextEvaluationTime ? { lookAgainAt: rule.nextEvaluationTime } : {}),
        ...(rule.satisfiedAt ? { satisfiedAt: rule.satisfiedAt } : {}),
        ...(details.since ? { since: details.since } : {}),
        ...(details.skipId ? { skipId: details.skipId } : {}),
      } as Reason
    }),
  )
}

/** In a sentence, what would become of a version. */
export function gistOf(found: Evaluations, tag: string): string {
  if (found.canDeploy) return `${tag} may go here now: every rule allows it.`
  const open = reasonsOf(found).filter((one) => one.verdict !== 'allowed').length
  const rules = `${open} ${open === 1 ? 'rule' : 'rules'}`
  return found.isBlocked ? `${tag} is blocked: ${rules} do${open === 1 ? 'es' : ''} not allow it.` : `${tag} would wait for ${rules}.`
}

export interface Limit {
  /** Where in the result the number is: `['json', 'errorRate']`; empty for the measurement's own value. */
  path: readonly string[]
  operator: '<' | '<=' | '>' | '>=' | '=='
  value: number
}

const COMPARED = /\b(result((?:\.\w+|\[\d+\]|\["[^"]+"\])+)|value)\s*(<=|>=|==|<|>)\s*(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)/g

/** The numbers that a condition compares something with: `result.json.errorRate < 0.01`. */
export function limitsOf(condition: string): Limit[] {
  return [...condition.matchAll(COMPARED)].map((found) => ({
    path: (found[2] ?? '').split(/[.[\]"]+/).filter(Boolean),
    operator: found[3] as Limit['operator'],
    value: Number(found[4]),
  }))
}

export interface Point {
  /** Seconds. */
  at: number
  value: number
  measurement: Measurement
}

export interface Series {
  points: readonly Point[]
  limit: Limit | null
  /** What is drawn, in words: `json.errorRate`. */
  name: string
}

/** What of a metric is drawn: the value that its condition compares, where its measurements have a number there, else their own value. */
export function seriesOf(metric: Pick<MetricStatus, 'successCondition' | 'measurements' | 'name'>): Series {
  const limits = limitsOf(metric.successCondition)
  for (const limit of limits) {
    const points = pointsOf(metric.measurements, limit.path)
    if (points.length) return { points, limit, name: limit.path.join('.') || metric.name }
  }
  return { points: pointsOf(metric.measurements, []), limit: limits[0] ?? null, name: metric.name }
}

function pointsOf(measurements: readonly Measurement[], path: readonly string[]): Point[] {
  return measurements
    .flatMap((measurement) => {
      const value = path.length ? at(measurement.data, path) : measurement.value
      return typeof value === 'number' && Number.isFinite(value) ? [{ at: Date.parse(measurement.measuredAt) / 1000, value, measurement }] : []
    })
    .sort((a, b) => a.at - b.at)
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((inside, key) => (typeof inside === 'object' && inside !== null ? (inside as Record<string, unknown>)[key] : undefined), value)
}

/** A number as short as it can be told: `0.002`, `1,204`, `3.1e-9`. */
export function figure(value: number): string {
  if (value !== 0 && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e9)) return value.toExponential(2)
  return value.toLocaleString('en', { maximumSignificantDigits: 5 })
}
