/** The environments as a graph: which must come before which, and how the picked version gets from one to the next. */
import { Countdown, Glyph } from '../../parts/base.tsx'
import { href } from '../../router/location.ts'
import { linesOf } from './Lanes.tsx'
import { type Box, cornerOf, graphOf, pathOf } from './layers.ts'
import type { Shown } from './shown.ts'
import { standingOf } from './words.ts'

const BOX: Box = { width: 196, height: 74, gapX: 72, gapY: 24 }

export function Graph({ shown }: { shown: Shown }) {
  if (!shown.gates) return <div class="card graph-ghost" />
  const names = new Map(shown.places.map((one) => [one.id, one.name]))
  const edges = shown.gates.items.flatMap(({ environmentId, gates }) =>
    gates.flatMap((gate) => gate.upstream.flatMap((one) => one.environmentIds.map((from) => ({ from, to: environmentId })))),
  )
  const graph = graphOf(
    shown.places.map((one) => one.id),
    edges,
  )
  const corner = new Map(graph.nodes.map((node) => [node.id, cornerOf(node, graph, BOX)]))
  const width = graph.layers * (BOX.width + BOX.gapX) - BOX.gapX
  const height = graph.rows * (BOX.height + BOX.gapY) - (graph.edges.some((edge) => edge.back) ? 0 : BOX.gapY)
  return (
    <div class="graph card" role="group" aria-label="Environments, and which come before which" tabIndex={0}>
      <div class="plane" style={{ '--w': String(width), '--h': String(height) }}>
        <svg width={width} height={height} aria-hidden="true">
          {graph.edges.map((edge) => {
            const [from, to] = [corner.get(edge.from), corner.get(edge.to)]
            if (!from || !to) return null
            const open = progressionOf(shown, edge.to)
            const d = pathOf(from, to, BOX, edge.back)
            return (
              <g key={`${edge.from} ${edge.to}`} data-st={open}>
                <path d={d} class="edge" />
                {edge.back ? null : <path d={`M${to[0] - 7} ${to[1] + BOX.height / 2 - 5} l7 5 -7 5`} class="edge" />}
              </g>
            )
          })}
        </svg>
        {graph.nodes.map((node) => {
          const place = shown.places.find((one) => one.id === node.id)
          const [x, y] = corner.get(node.id) ?? [0, 0]
          if (!place) return null
          const standing = standingOf(shown.explanation?.rollouts.find((one) => one.environmentId === node.id))
          const after = graph.edges.filter((edge) => edge.to === node.id).map((edge) => names.get(edge.from) ?? '')
          const until = linesOf(shown, place).find((line) => line.until)?.until
          return (
            <a
              key={node.id}
              class="graph-node"
              href={href('rollout', { deploymentId: shown.deployment.id, environmentId: node.id }, shown.picked ? { v: shown.picked.versionId } : {})}
              style={{ '--x': String(x), '--y': String(y) }}
              data-st={standing.status === 'empty' ? place.cell.status : standing.status}
            >
              <span class="line">
                <b class="cut">{place.name}</b>
                <span class="faint small num">
                  {place.cell.targets} {place.cell.targets === 1 ? 'target' : 'targets'}
                </span>
              </span>
              <span class="line says">
                <Glyph status={standing.status === 'empty' ? place.cell.status : standing.status} />
                <span class="cut">{shown.picked ? `${shown.picked.tag}: ${shown.explanation ? standing.text : '…'}` : place.cell.reason || place.cell.status}</span>
                {until ? <Countdown until={until} small /> : null}
              </span>
              <span class="small faint cut mono">{place.cell.running.map((one) => one.tag).join(', ') || 'nothing runs'}</span>
              <span class="sr">{after.length ? `, after ${after.join(' and ')}` : ''}</span>
            </a>
          )
        })}
      </div>
      {graph.edges.length ? null : <p class="quiet small in">No policy says that one environment comes before another: versions go to each of them by themselves.</p>}
    </div>
  )
}

/** How the rule about what comes before stands, for the colour of the edge. */
function progressionOf(shown: Shown, environmentId: string): string {
  const reason = shown.explanation?.rollouts
    .find((one) => one.environmentId === environmentId)
    ?.reasons.find((one) => one.ruleType === 'environmentProgression')
  if (reason) return reason.verdict === 'allowed' ? 'healthy' : reason.verdict === 'blocked' ? 'blocked' : 'pending'
  const rollout = shown.explanation?.rollouts.find((one) => one.environmentId === environmentId)
  return rollout?.done ? 'healthy' : 'empty'
}
