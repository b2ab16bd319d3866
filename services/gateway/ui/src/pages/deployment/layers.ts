/** Where the nodes of a promotion graph stand, and how its edges run. Pure. */

export interface Edge {
  from: string
  to: string
}

export interface Placed {
  id: string
  layer: number
  row: number
}

export interface Graph {
  nodes: Placed[]
  /** Those that lead to a later layer, and those that go back: a circle of rules, of which each waits for the other. */
  edges: (Edge & { back: boolean })[]
  layers: number
  rows: number
}

/** Each node one layer after the last of those before it. The order that is given decides where edges go round in a circle.
 *
 * Args: ids: in the order of the matrix. edges: between these; others are left out, and so is what follows from two others.
 */
export function graphOf(ids: readonly string[], edges: readonly Edge[]): Graph {
  const place = new Map(ids.map((id, index) => [id, index]))
  const unique = new Map(edges.map((edge) => [`${edge.from} ${edge.to}`, edge]))
  const known = [...unique.values()].filter(({ from, to }) => place.has(from) && place.has(to) && from !== to)
  const back = ({ from, to }: Edge) => (place.get(from) ?? 0) > (place.get(to) ?? 0)
  const before = new Map<string, string[]>()
  for (const edge of known) if (!back(edge)) before.set(edge.to, [...(before.get(edge.to) ?? []), edge.from])
  const layer = new Map<string, number>()
  // Those before a node stand before it in the order as well, so that one walk is enough.
  for (const id of ids) layer.set(id, Math.max(-1, ...(before.get(id) ?? []).map((one) => layer.get(one) ?? 0)) + 1)
  const rows = new Map<number, number>()
  const nodes = ids.map((id) => {
    const at = layer.get(id) ?? 0
    const row = rows.get(at) ?? 0
    rows.set(at, row + 1)
    return { id, layer: at, row }
  })
  return {
    nodes,
    edges: known.filter((edge) => back(edge) || !isImplied(edge, before)).map((edge) => ({ ...edge, back: back(edge) })),
    layers: Math.max(0, ...layer.values()) + (ids.length ? 1 : 0),
    rows: Math.max(0, ...rows.values()),
  }
}

/** Whether there is a longer way from one to the other: then the edge says nothing new. */
function isImplied({ from, to }: Edge, before: ReadonlyMap<string, string[]>): boolean {
  const seen = new Set<string>()
  const stack = (before.get(to) ?? []).filter((one) => one !== from)
  while (stack.length) {
    const one = stack.pop() as string
    if (seen.has(one)) continue
    seen.add(one)
    const more = before.get(one) ?? []
    if (more.includes(from)) return true
    stack.push(...more)
  }
  return false
}

export interface Box {
  width: number
  height: number
  gapX: number
  gapY: number
}

/** The upper left corner of a node; a layer with fewer nodes is centred. */
export function cornerOf({ layer, row }: Placed, graph: Graph, box: Box): [x: number, y: number] {
  const inLayer = graph.nodes.filter((one) => one.layer === layer).length
  const free = (graph.rows - inLayer) * (box.height + box.gapY)
  return [layer * (box.width + box.gapX), row * (box.height + box.gapY) + free / 2]
}

/** A line from the right side of one node to the left side of another; one that goes back bends below both. */
export function pathOf(from: [number, number], to: [number, number], box: Box, back: boolean): string {
  const [fx, fy] = [from[0] + box.width, from[1] + box.height / 2]
  const [tx, ty] = [to[0], to[1] + box.height / 2]
  if (back) {
    const low = Math.max(from[1], to[1]) + box.height + box.gapY / 2
    return `M${from[0] + box.width / 2} ${from[1] + box.height} C${from[0] + box.width / 2} ${low} ${tx + box.width / 2} ${low} ${tx + box.width / 2} ${to[1] + box.height}`
  }
  const bend = Math.max(24, (tx - fx) / 2)
  return `M${fx} ${fy} C${fx + bend} ${fy} ${tx - bend} ${ty} ${tx} ${ty}`
}
