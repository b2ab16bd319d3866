/** Why something is where it is: a line a rule, what it needs, what it has, until when, and who can act. */
import type { ComponentChildren } from 'preact'
import { nameOf } from '../acts/names.ts'
import type { Reason } from '../api/schema'
import { Countdown, Glyph, Time } from '../parts/base.tsx'
import { Person } from '../parts/Person.tsx'
import { Said } from '../parts/Said.tsx'
import { href } from '../router/location.ts'
import { inOrder, needsOf, statusOf, titleOf, untilOf, waysOf } from './words.ts'

export interface WhyProps {
  /** The sentence on top: the API's own `message`. */
  gist?: string
  reasons: readonly Reason[]
  /** Buttons of a line, for those who can act: approve, skip. */
  act?(reason: Reason): ComponentChildren
}

/** The box. Lines that hold come first and are tinted; what passed is folded when there is anything that holds. */
export function Why({ gist, reasons, act }: WhyProps) {
  const all = inOrder(reasons)
  const open = all.filter((reason) => reason.verdict !== 'allowed')
  const passed = all.filter((reason) => reason.verdict === 'allowed')
  const lines = (some: readonly Reason[]) => (
    <ul>
      {some.map((reason, index) => (
        <Line key={`${reason.ruleId}${reason.ruleType}${index}`} reason={reason} act={act} />
      ))}
    </ul>
  )
  return (
    <div class="why">
      {gist ? <Gist text={gist} /> : null}
      {open.length ? lines(open) : lines(passed)}
      {open.length && passed.length ? (
        <details class="passed">
          <summary>
            {passed.length} {passed.length === 1 ? 'rule passes' : 'rules pass'}
          </summary>
          {lines(passed)}
        </details>
      ) : null}
    </div>
  )
}

/** What it comes to, and the rest of what the API says of it, which the lines tell one by one. */
function Gist({ text }: { text: string }) {
  const end = /^.+?[.!?](?= [A-Z]|$)/s.exec(text)?.[0] ?? text
  return (
    <p class="gist">
      <b>
        <Said>{end}</Said>
      </b>
      <Said>{text.slice(end.length)}</Said>
    </p>
  )
}

function Line({ reason, act }: { reason: Reason; act: WhyProps['act'] }) {
  const holds = reason.verdict !== 'allowed'
  const until = holds ? untilOf(reason) : null
  const needs = holds ? needsOf(reason) : ''
  const ways = holds ? waysOf(reason).filter((way) => way.kind !== 'time') : []
  return (
    <li data-st={statusOf(reason)} data-open={holds ? '' : undefined} data-skipped={reason.skipId ? '' : undefined}>
      <Glyph status={statusOf(reason)} />
      <div>
        <span class="name">{titleOf(reason.ruleType)}</span>{' '}
        {reason.policyId ? (
          <a class="quiet" href={href('policy', { policyId: reason.policyId })}>
            {reason.policyName || 'policy'}
          </a>
        ) : null}
        {reason.skipId ? <span class="quiet"> skipped</span> : null}
        <span class="sr">: {holds ? statusOf(reason) : 'passed'}</span>
      </div>
      <dl>
        {needs ? (
          <>
            <dt>needs</dt>
            <dd>
              <Said>{needs}</Said>
            </dd>
          </>
        ) : null}
        <dt>{holds ? 'has' : 'is'}</dt>
        <dd>
          <Said>{reason.message}</Said>
          {reason.since ? (
            <span class="quiet">
              {' '}
              · since <Time at={reason.since} />
            </span>
          ) : null}
        </dd>
        {until ? (
          <>
            <dt>until</dt>
            <dd>
              <Time at={until} />
            </dd>
          </>
        ) : null}
        {ways.length ? (
          <>
            <dt>who</dt>
            <dd>
              {ways.map((way, index) => (
                <span key={index}>
                  {index ? ', or ' : ''}
                  {way.users.length ? <People ids={way.users} /> : way.text}
                  {reason.ruleType === 'freeze' ? (
                    <>
                      , on{' '}
                      <a class="link" href={href('freezes')}>
                        the page of freezes
                      </a>
                    </>
                  ) : null}
                  {way.links.map(({ route, id }) => (
                    <span key={id}>
                      {' '}
                      <a href={route === 'policy' ? href('policy', { policyId: id }) : href('deployment', { deploymentId: id })}>
                        {nameOf(id) ?? `the ${route}`}
                      </a>
                    </span>
                  ))}
                </span>
              ))}
            </dd>
          </>
        ) : null}
      </dl>
      <div class="side-act">
        {until ? <Countdown until={until} label={`${titleOf(reason.ruleType)}: `} /> : null}
        {holds && act ? act(reason) : null}
      </div>
    </li>
  )
}

function People({ ids }: { ids: readonly string[] }) {
  return (
    <>
      {ids.map((id, index) => (
        <>
          {index ? ', ' : ''}
          <Person key={id} by={id} />
        </>
      ))}
    </>
  )
}
