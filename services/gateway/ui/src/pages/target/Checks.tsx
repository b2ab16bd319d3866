/** What was measured after the newest job: each verification with its metrics, newest value, chart and table. */
import { counted } from '../../acts/words.ts'
import type { MetricStatus, Verification } from '../../api/schema'
import { Lazy } from '../../frame/Lazy.tsx'
import { Card, Countdown, Time } from '../../parts/base.tsx'
import { Action } from '../../parts/Button.tsx'
import { Said } from '../../parts/Said.tsx'
import { VerificationState } from '../../parts/State.tsx'
import { verificationStatus } from '../../parts/states.ts'
import { type Of, verifyAgain } from './actions.tsx'
import { type Series, figure, seriesOf } from './words.ts'

const chart = () => import('./Chart.tsx').then(({ Chart }) => ({ default: Chart }))

export function Checks({ verifications, tag, of }: { verifications: readonly Verification[]; tag: string; of: Of }) {
  return (
    <Card title="Verification" note={tag}>
      {verifications.map((one) => (
        <div key={one.id} class="check">
          <div class="line">
            <VerificationState state={one.status} pill />
            <span class="quiet">
              attempt {one.attempt}
              {one.finishedAt ? (
                <>
                  {' · ended '}
                  <Time at={one.finishedAt} ago />
                </>
              ) : (
                <>
                  {' · began '}
                  <Time at={one.createdAt} ago />
                </>
              )}
              {one.watching && one.watchedUntil ? (
                <>
                  {' · watched for '}
                  <Countdown until={one.watchedUntil} label="Measured on until " />
                </>
              ) : null}
            </span>
            <Action small onPress={() => verifyAgain(of, one, tag)}>
              Verify again…
            </Action>
          </div>
          {one.message ? (
            <p>
              <Said>{one.message}</Said>
            </p>
          ) : null}
          {one.note ? <p class="quiet">{one.note}</p> : null}
          {one.metrics.map((metric) => (
            <Metric key={metric.name} metric={metric} />
          ))}
        </div>
      ))}
    </Card>
  )
}

function Metric({ metric }: { metric: MetricStatus }) {
  const series = seriesOf(metric)
  const last = series.points.at(-1)
  const newest = metric.measurements.toSorted((a, b) => a.number - b.number).at(-1)
  return (
    <section class="metric">
      <header>
        <h3>{metric.name}</h3>
        <VerificationState state={metric.status} />
        <Dots metric={metric} />
      </header>
      <p class="small">
        {last ? (
          <b class="num">
            {figure(last.value)}
            {series.limit ? <span class="quiet"> (limit {series.limit.operator} {figure(series.limit.value)})</span> : null}
          </b>
        ) : newest ? (
          <span>{newest.message ?? `measured: ${newest.status}`}</span>
        ) : (
          <span class="quiet">Not measured yet{metric.firstAt ? <>, first in <Countdown until={metric.firstAt} /></> : null}.</span>
        )}{' '}
        <code class="quiet cond">{metric.successCondition}</code>
      </p>
      {series.points.length > 1 ? <Lazy load={chart} props={{ series, label: spoken(metric, series) }} /> : null}
      {metric.measurements.length ? <Measurements metric={metric} series={series} /> : null}
    </section>
  )
}

function spoken(metric: MetricStatus, { points, limit, name }: Series): string {
  const values = points.map((one) => one.value)
  const range = `from ${figure(Math.min(...values))} to ${figure(Math.max(...values))}, newest ${figure(values.at(-1) ?? 0)}`
  return `${metric.name}: ${points.length} values of ${name} ${range}${limit ? `; limit ${limit.operator} ${figure(limit.value)}` : ''}`
}

/** One mark for each measurement that there will be. Long series show their end. */
function Dots({ metric }: { metric: MetricStatus }) {
  const taken = metric.measurements.toSorted((a, b) => a.number - b.number)
  const all = Math.max(metric.count, taken.length)
  const shown = taken.slice(-24)
  return (
    <span class="dots" title={`${taken.length} of ${counted(all, 'measurement')}`}>
      <span class="sr">
        {taken.length} of {counted(all, 'measurement')}
      </span>
      {shown.map((one) => (
        <i key={one.number} data-st={verificationStatus(one.status)} />
      ))}
      {Array.from({ length: Math.max(0, Math.min(24, all) - shown.length) }, (_, index) => (
        <i key={`open ${index}`} />
      ))}
    </span>
  )
}

function Measurements({ metric, series }: { metric: MetricStatus; series: Series }) {
  const values = new Map(series.points.map((one) => [one.measurement.number, one.value]))
  return (
    <details class="table-view">
      <summary>{counted(metric.measurements.length, 'measurement')}</summary>
      <div class="scroll-x">
        <table class="table">
          <thead>
            <tr>
              <th scope="col">No.</th>
              <th scope="col">When</th>
              <th scope="col">{series.name}</th>
              <th scope="col">Came to</th>
            </tr>
          </thead>
          <tbody>
            {metric.measurements
              .toSorted((a, b) => b.number - a.number)
              .slice(0, 100)
              .map((one) => (
                <tr key={one.number}>
                  <td class="num">{one.number}</td>
                  <td>
                    <Time at={one.measuredAt} />
                  </td>
                  <td class="num">{values.has(one.number) ? figure(values.get(one.number) ?? 0) : '–'}</td>
                  <td title={one.message ?? undefined}>
                    <VerificationState state={one.status} />
                  </td>
                </tr>
              ))}
          </tbody>
        </table>
      </div>
    </details>
  )
}
