/** The policies that versions of a deployment pass: what each asks for, and where. */
import type { DeploymentGates } from '../../api/schema'
import type { Queried } from '../../api/useQuery.ts'
import { Empty, ErrorCard, Skeleton } from '../../parts/say.tsx'
import { sentencesOf } from '../../rules/sentences.ts'
import { href } from '../../router/location.ts'
import { listed } from '../../acts/words.ts'
import { appliedOf, whereWords } from './words.ts'

export function Policies({ gates, name }: { gates: Queried<DeploymentGates>; name(environmentId: string): string }) {
  if (gates.error.value) return <ErrorCard error={gates.error.value} what="Its policies:" retry={gates.reload} />
  const found = gates.data.value
  if (!found) return gates.slow.value ? <Skeleton lines={6} /> : null
  const applied = appliedOf(found)
  if (!applied.length) {
    return (
      <Empty title="No policy applies here">
        <p>
          A new version goes to every target at once. A policy can let it wait for people, for other environments, or for a time: <a href={href('policies')}>write one</a> whose
          selector picks this deployment.
        </p>
      </Empty>
    )
  }
  return (
    <ul class="applied card">
      {applied.map(({ policy, where }) => (
        <li key={policy.id}>
          <div>
            <a class="link" href={href('policy', { policyId: policy.id })}>
              {policy.name}
            </a>
            <ul class="sentences">
              {policy.rules.flatMap((rule) => sentencesOf(rule as unknown as Record<string, unknown>)).map((text) => (
                <li key={text}>{text}</li>
              ))}
            </ul>
          </div>
          <p class="quiet small">{listed(where.map((one) => whereWords(name(one.environmentId), one.targets, one.of)))}</p>
        </li>
      ))}
    </ul>
  )
}
