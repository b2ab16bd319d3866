import assert from 'node:assert/strict'
import { test } from 'node:test'
import { approvalWords, expiries, expiry, listed, rejectionWords, standsOf } from '../src/acts/words.ts'
import type { BoardApproval, Evaluations, Measurement, Reason, RolloutExplanation } from '../src/api/schema'
import { askedOf, groupsOf, offOf, passedBy } from '../src/pages/approvals/groups.ts'
import { figure, gistOf, limitsOf, reasonsOf, seriesOf } from '../src/pages/target/words.ts'
import { differences } from '../src/pages/version/differences.ts'
import { consequenceOf, reachWords, standingOf } from '../src/pages/version/words.ts'
import { linksOf } from '../src/parts/links.ts'
import { jobStatus, spelt, versionStatus } from '../src/parts/states.ts'

const measured = (number: number, change: object): Measurement =>
  ({ number, metric: 'm', status: 'passed', measuredAt: `2026-01-01T12:00:0${number}.000Z`, dueAt: '', ...change }) as Measurement

test('the limit of a condition is the number that something of the result is compared with', () => {
  assert.deepEqual(limitsOf('result.ok && result.json.errorRate < 0.01'), [{ path: ['json', 'errorRate'], operator: '<', value: 0.01 }])
  assert.deepEqual(limitsOf('result["data"][0].value >= -3e2'), [{ path: ['data', '0', 'value'], operator: '>=', value: -300 }])
  assert.deepEqual(limitsOf('value <= 5'), [{ path: [], operator: '<=', value: 5 }])
  assert.deepEqual(limitsOf('result.ok'), [])
})

test('what is drawn is what is compared, in the order of time', () => {
  const measurements = [measured(2, { data: { json: { rate: 0.3 } } }), measured(1, { data: { json: { rate: 0.1 } } }), measured(3, { data: {} })]
  const series = seriesOf({ name: 'errors', successCondition: 'result.json.rate < 0.2', measurements })
  assert.deepEqual([series.points.map((one) => one.value), series.limit?.value, series.name], [[0.1, 0.3], 0.2, 'json.rate'])
})

test('without a comparison the value of the measurement is drawn', () => {
  const series = seriesOf({ name: 'errors', successCondition: 'result.ok', measurements: [measured(1, { value: 4 }), measured(2, { value: null })] })
  assert.deepEqual([series.points.map((one) => one.value), series.limit, series.name], [[4], null, 'errors'])
})

test('numbers are short', () => {
  assert.deepEqual([0.002, 1204, 3.14159265, 0, 0.0000042].map(figure), ['0.002', '1,204', '3.1416', '0', '4.20e-6'])
})

const evaluations = (verdicts: string[]): Evaluations =>
  ({
    canDeploy: verdicts.every((one) => one === 'allowed'), isBlocked: verdicts.includes('blocked'), isPending: false, position: 1, versionId: 'v', releaseTarget: {},
    policyResults: [{ policy: { id: 'p', name: 'careful' }, summary: '', ruleResults: verdicts.map((verdict, n) => ({ ruleId: `r${n}`, ruleType: 'anyApproval', allowed: verdict === 'allowed', message: 'm', details: { verdict, endedBy: 'x', whoEnds: [], facts: [] } })) }],
  }) as unknown as Evaluations

test('what would become of another version is said in one sentence', () => {
  assert.equal(gistOf(evaluations(['allowed']), 'v1'), 'v1 may go here now: every rule allows it.')
  assert.equal(gistOf(evaluations(['waiting', 'waiting', 'allowed']), 'v1'), 'v1 would wait for 2 rules.')
  assert.equal(gistOf(evaluations(['blocked']), 'v1'), 'v1 is blocked: 1 rule does not allow it.')
  assert.deepEqual(reasonsOf(evaluations(['waiting'])).map((one) => [one.policyName, one.ruleId, one.verdict]), [['careful', 'r0', 'waiting']])
})

test('an approval says whether it is enough, and what is in the way still', () => {
  const asked = { versionId: 'v', tag: 'v2', deployment: 'api' }
  const prod = { id: 'e', name: 'prod', targets: 6, needs: 2, counts: 0, running: 'v1' }
  assert.equal(approvalWords({ ...asked, environments: [prod] }), 'Lets v2 go to 6 targets in prod (now v1) once 1 more person approved it (1 of 2 with yours).')
  assert.equal(approvalWords({ ...asked, environments: [{ ...prod, counts: 1, running: '', others: ['gradual rollout'] }] }), 'Lets v2 go to 6 targets in prod as soon as gradual rollout allows it.')
  assert.equal(approvalWords({ ...asked, environments: [{ id: 'e', name: 'prod', targets: 1, needs: 1 }] }), 'Lets v2 go to 1 target in prod at once.')
  assert.match(rejectionWords({ ...asked, environments: [prod], rejectionBlocks: true }), /6 targets there stay as they are\. Nobody else's approval/)
})

test('a skip ends so many hours from now, or never', () => {
  assert.equal(expiry(1, Date.parse('2026-01-01T00:00:00Z')), '2026-01-01T01:00:00.000Z')
  assert.equal(expiry(null, 0), undefined)
  // Tried again after an outage it is the same request, which the gateway refuses with another end.
  const ends = expiries()
  assert.equal(ends('key-1', 1, 0), '1970-01-01T01:00:00.000Z')
  assert.equal(ends('key-1', 1, 5_000), '1970-01-01T01:00:00.000Z')
  assert.equal(ends('key-2', 1, 5_000), '1970-01-01T01:00:05.000Z')
  assert.equal(ends('key-2', null, 9_000), undefined)
  assert.equal(listed(['a', 'b', 'c']), 'a, b and c')
})

const row = (version: string, environment: string, change: object = {}): BoardApproval =>
  ({
    key: `${version}/${environment}`, version: { versionId: version, tag: version, name: '', createdAt: '' }, deployment: { id: 'd', name: 'api' },
    environment: { id: environment, name: environment }, policy: { id: 'p', name: 'p' }, ruleId: 'r', targets: 2, running: null, needs: 1, counts: 0, groups: [], has: [],
    authors: [], authorMayApprove: true, approverSelector: '', rejectionBlocks: false, since: '2026-01-01', others: [], canAct: true, said: null, ...change,
  }) as BoardApproval

test('the inbox groups by version, what one can decide before what waits for others', () => {
  const groups = groupsOf([row('v1', 'prod', { canAct: false, since: '2025' }), row('v2', 'prod'), row('v3', 'prod', { since: '2025-06' }), row('v2', 'eu', { since: '2025-12' })])
  assert.deepEqual(groups.map((one) => [one.key, one.rows.map((each) => each.environment.id)]), [['v3', ['prod']], ['v2', ['eu', 'prod']], ['v1', ['prod']]])
  assert.deepEqual(askedOf([row('v1', 'prod'), row('v1', 'prod', { key: 'other' }), row('v1', 'eu')])?.environments.map((one) => one.id), ['prod', 'eu'])
})

test('what waits where a newer version waits as well stands behind it', () => {
  const made = (tag: string, environment: string, at: string) => row(tag, environment, { version: { versionId: tag, tag, name: '', createdAt: at } })
  const rows = [made('v1', 'prod', '2026-01-01'), made('v2', 'prod', '2026-01-02'), made('v3', 'eu', '2026-01-03')]
  assert.deepEqual([...passedBy(groupsOf(rows))], ['v1'])
  // Somewhere it is the newest that waits: there it is wanted.
  assert.deepEqual([...passedBy(groupsOf([...rows, made('v1', 'us', '2026-01-01')]))], [])
  assert.deepEqual([...passedBy(groupsOf(rows.map((one) => ({ ...one, deployment: { id: one.key, name: 'api' } }))))], [])
})

test('who can not decide is told why', () => {
  assert.equal(offOf(row('v', 'e'), 'me'), '')
  assert.match(offOf(row('v', 'e', { canAct: false, said: 'approved' }), 'me'), /already/)
  assert.match(offOf(row('v', 'e', { canAct: false, authorMayApprove: false, authors: ['me'] }), 'me'), /You made this version/)
  assert.match(offOf(row('v', 'e', { canAct: false, approverSelector: 'x' }), 'me'), /whoever fits x/)
})

const rollout = (change: object): RolloutExplanation => ({ total: 6, done: 0, going: 0, blocked: 0, waiting: 0, passed: 0, reasons: [], ...change }) as unknown as RolloutExplanation

test('an environment looks as what holds the version there', () => {
  const looks = [rollout({ done: 6 }), rollout({ blocked: 1, going: 5 }), rollout({ going: 6 }), rollout({ waiting: 6 }), rollout({ passed: 6 }), rollout({ total: 0 })]
  assert.deepEqual(looks.map(standingOf), ['healthy', 'blocked', 'progressing', 'pending', 'empty', 'empty'])
  assert.equal(reachWords(rollout({ done: 2, waiting: 3, blocked: 1 })), '2 of 6 done · 3 wait · 1 blocked')
})

test('a change of status says how many targets it concerns', () => {
  const all = [rollout({ done: 4 }), rollout({ waiting: 1 })]
  assert.match(consequenceOf('rejected', 'v2', all), /not to the 1 target that waits for it\. .*4 targets that run it change\./)
  assert.match(consequenceOf('paused', 'v2', all), /goes to no further target \(1 target waits for it now\); 4 targets that run it keep it\./)
  assert.equal(consequenceOf('ready', 'v2', []), 'v2 may go wherever the rules allow it.')
})

test('what differs between versions is told leaf by leaf', () => {
  const empty = { config: {}, jobAgentConfig: {}, metadata: {}, dependencies: {} }
  const before = { ...empty, config: { image: { tag: 'a', name: 'x' }, flags: [] }, metadata: { sha: '1' } }
  const after = { ...empty, config: { image: { tag: 'b', name: 'x' }, flags: [] } }
  assert.deepEqual(differences(before, after), [
    { key: 'config.image.tag', before: 'a', after: 'b' },
    { key: 'metadata.sha', before: '1', after: undefined },
  ])
})

test('links are addresses of the web only', () => {
  const links = linksOf({ 'ci/build': 'https://ci.example/1', bad: 'javascript:alert(1)', more: '{"Run":"http://x/y","evil":"data:,x"}', broken: '{"', text: '42' })
  assert.deepEqual(links, [{ label: 'build', href: 'https://ci.example/1' }, { label: 'Run', href: 'http://x/y' }])
})

test('states look as statuses do', () => {
  assert.deepEqual([versionStatus('paused'), jobStatus('invalidJobAgent'), spelt('inProgress')], ['paused', 'failed', 'in progress'])
})

test('what an explanation says of missing approvals and of other rules is in the words of an approval', () => {
  const way = { kind: 'approvers', approvals: [{ missing: 2, selector: '' }] }
  const reasons = [
    { ruleType: 'anyApproval', verdict: 'waiting', whoEnds: [way] },
    { ruleType: 'gradualRollout', verdict: 'waiting', whoEnds: [] },
    { ruleType: 'retry', verdict: 'allowed', whoEnds: [] },
  ] as unknown as Reason[]
  assert.deepEqual(standsOf(reasons), { missing: 2, others: ['gradual rollout'] })
  const place = { id: 'e', name: 'prod', targets: null }
  const words = (missing: number) => approvalWords({ versionId: 'v', tag: 'v2', deployment: 'api', environments: [{ ...place, ...standsOf(reasons), missing }] })
  assert.equal(words(2), 'Lets v2 go to prod once 1 more person approved it.')
  assert.equal(words(1), 'Lets v2 go to prod as soon as gradual rollout allows it.')
})
