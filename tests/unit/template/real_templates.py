"""Templates as users of Argo CD, Argo Workflows and Terraform write them, and the documents that they render to."""

from __future__ import annotations

from typing import Any

CONTEXT: dict[str, Any] = {
    "job": {"id": "0190f3c4-8a6e-7c11-9d0f-6a1b2c3d4e5f"},
    "release": {"id": "rel-1", "createdAt": "2026-03-01T09:30:00Z"},
    "deployment": {
        "id": "dep-1",
        "name": "Payments API",
        "slug": "payments-api",
        "metadata": {"team": "core", "argo/path": "charts/payments"},
    },
    "environment": {"id": "env-1", "name": "Production", "metadata": {"tier": "gold"}},
    "resource": {
        "id": "res-1",
        "identifier": "gke_acme_europe-west1_prod-1",
        "name": "prod-1",
        "kind": "GoogleKubernetesEngine",
        "version": "ctrlplane.dev/kubernetes/cluster/v1",
        "config": {
            "server": {"endpoint": "https://10.0.0.1", "port": 6443},
            "zones": ["b", "c", "d"],
            "nodes": 12,
            "project": "acme-prod",
        },
        "metadata": {"region": "europe-west1", "kubernetes.io/version": "1.31.4-gke.1256000", "autopilot": "true"},
    },
    "version": {
        "id": "ver-1",
        "name": "v2.14.0",
        "tag": "v2.14.0-rc.1+build.7",
        "config": {},
        "metadata": {"git/sha": "9f2c1ab7e4"},
    },
    "variables": {
        "replicas": 3,
        "cpu": 0.5,
        "limit_bytes": 2147483648,
        "hosts": {"object": {"public": "pay.acme.io", "internal": "pay.int"}},
        "feature_flags": ["fast-refund", "sepa"],
        "image": {"repository": "ghcr.io/acme/payments"},
        "notes": "first line\nsecond: line",
        "debug": False,
    },
    "jobAgentConfig": {"namespace": "argocd", "organization": "acme"},
}

APPLICATION = """\
{{- $name := printf "%s-%s" .deployment.slug .resource.name | lower | trunc 63 | trimSuffix "-" -}}
{{- $labels := dict "app" .deployment.slug "env" (.environment.name | lower) "job" .job.id -}}
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: {{ $name }}
  namespace: {{ .jobAgentConfig.namespace | default "argocd" }}
  labels:
    {{- range $key, $value := $labels }}
    {{ $key }}: {{ $value | quote }}
    {{- end }}
  annotations:
    revision: {{ index .version.metadata "git/sha" | trunc 7 | quote }}
    created: {{ .release.createdAt }}
spec:
  project: {{ .resource.config.project | default "default" }}
  destination:
    server: {{ .resource.config.server.endpoint }}:{{ .resource.config.server.port }}
    namespace: {{ .variables.namespace | default .deployment.slug }}
  source:
    repoURL: https://github.com/acme/deploy
    path: {{ index .deployment.metadata "argo/path" }}
    targetRevision: {{ .version.tag | replace "+" "_" }}
    helm:
      valuesObject:
        replicaCount: {{ .variables.replicas }}
        image:
          {{- toYaml .variables.image | nindent 10 }}
          tag: {{ .version.tag | splitList "+" | first | quote }}
        resources: {limits: {cpu: {{ .variables.cpu }}, memory: {{ .variables.limit_bytes | int64 }}}}
        {{- with .variables.hosts.object }}
        ingress:
          hosts:
            {{- range $kind, $host := . }}
            - {{ $host }} # {{ $kind }} of {{ $.resource.name }}
            {{- end }}
        {{- end }}
        {{- if .variables.feature_flags }}
        flags: [{{ join ", " .variables.feature_flags }}]
        {{- end }}
        notes: |
          {{- .variables.notes | nindent 10 }}
        debug: {{ .variables.debug }}
  syncPolicy:
    {{- if eq (.environment.name | lower) "production" }}
    syncOptions: ["CreateNamespace=true"]
    {{- else }}
    automated: {prune: true}
    {{- end }}
"""

APPLICATION_RENDERED = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: payments-api-prod-1
  namespace: argocd
  labels:
    app: "payments-api"
    env: "production"
    job: "0190f3c4-8a6e-7c11-9d0f-6a1b2c3d4e5f"
  annotations:
    revision: "9f2c1ab"
    created: 2026-03-01T09:30:00Z
spec:
  project: acme-prod
  destination:
    server: https://10.0.0.1:6443
    namespace: payments-api
  source:
    repoURL: https://github.com/acme/deploy
    path: charts/payments
    targetRevision: v2.14.0-rc.1_build.7
    helm:
      valuesObject:
        replicaCount: 3
        image:
          repository: ghcr.io/acme/payments
          tag: "v2.14.0-rc.1"
        resources: {limits: {cpu: 0.5, memory: 2147483648}}
        ingress:
          hosts:
            - pay.int # internal of prod-1
            - pay.acme.io # public of prod-1
        flags: [fast-refund, sepa]
        notes: |
          first line
          second: line
        debug: false
  syncPolicy:
    syncOptions: ["CreateNamespace=true"]
"""

WORKFLOW = """\
{{- define "parameter" }}
      - name: {{ .name }}
        value: {{ .value | toString | quote }}
{{- end -}}
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  generateName: {{ regexReplaceAll "[^a-z0-9-]+" (.deployment.name | lower) "-" }}-
  labels:
    region: {{ .resource.metadata.region }}
spec:
  entrypoint: main
  arguments:
    parameters:
      {{- template "parameter" (dict "name" "version" "value" .version.tag) }}
      {{- template "parameter" (dict "name" "replicas" "value" .variables.replicas) }}
      {{- range $index, $zone := .resource.config.zones }}
      {{- template "parameter" (dict "name" (printf "zone-%d" $index) "value" (printf "%s-%s" $.resource.metadata.region $zone)) }}
      {{- end }}
  templates:
    - name: main
      steps:
        {{- range $i := until (len .resource.config.zones) }}
        - - name: deploy-{{ add1 $i }}
            template: deploy
            arguments: {parameters: [{name: zone, value: "{{ `{{workflow.parameters.zone-` }}{{ $i }}{{ `}}` }}"}]}
        {{- end }}
    - name: deploy
      inputs: {parameters: [{name: zone}]}
      container:
        image: {{ .variables.image.repository }}:{{ .version.name | trimPrefix "v" }}
        env:
          - {name: MODE, value: {{ ternary "autopilot" "standard" (eq .resource.metadata.autopilot "true") }}}
          - {name: SHARDS, value: {{ div .resource.config.nodes 5 | quote }}}
          {{- if semverCompare ">=1.30-0" (index .resource.metadata "kubernetes.io/version") }}
          - {name: SIDECARS, value: native}
          {{- end }}
          - name: CONFIG
            value: {{ dict "flags" .variables.feature_flags "tier" .environment.metadata.tier | toJson | squote }}
  {{- /* {{ in the line above is not opened again: a value is never a template */}}
"""

WORKFLOW_RENDERED = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  generateName: payments-api-
  labels:
    region: europe-west1
spec:
  entrypoint: main
  arguments:
    parameters:
      - name: version
        value: "v2.14.0-rc.1+build.7"
      - name: replicas
        value: "3"
      - name: zone-0
        value: "europe-west1-b"
      - name: zone-1
        value: "europe-west1-c"
      - name: zone-2
        value: "europe-west1-d"
  templates:
    - name: main
      steps:
        - - name: deploy-1
            template: deploy
            arguments: {parameters: [{name: zone, value: "{{workflow.parameters.zone-0}}"}]}
        - - name: deploy-2
            template: deploy
            arguments: {parameters: [{name: zone, value: "{{workflow.parameters.zone-1}}"}]}
        - - name: deploy-3
            template: deploy
            arguments: {parameters: [{name: zone, value: "{{workflow.parameters.zone-2}}"}]}
    - name: deploy
      inputs: {parameters: [{name: zone}]}
      container:
        image: ghcr.io/acme/payments:2.14.0
        env:
          - {name: MODE, value: autopilot}
          - {name: SHARDS, value: "2"}
          - {name: SIDECARS, value: native}
          - name: CONFIG
            value: '{"flags":["fast-refund","sepa"],"tier":"gold"}'
"""

WORKSPACE = """\
{{- $workspace := list .deployment.slug .resource.metadata.region .resource.name | join "-" | kebabcase -}}
name: {{ $workspace }}
description: {{ printf "%s to %s (%s)" .deployment.name .environment.name .version.name | quote }}
project: {{ title .environment.metadata.tier }}
execution_mode: {{ if hasKey .variables "agent_pool" }}agent{{ else }}remote{{ end }}
auto_apply: {{ ne .environment.name "Production" }}
terraform_version: {{ coalesce .variables.terraform .jobAgentConfig.terraform "1.9.8" }}
working_directory: stacks/{{ .deployment.slug | snakecase }}
trigger_patterns:
{{- range list "stacks" "modules" }}
  - {{ . }}/**/*.tf
{{- end }}
vcs_repo:
  identifier: {{ .jobAgentConfig.organization }}/{{ base "infra/terraform" }}
  branch: {{ .variables.branch | default "main" }}
variables:
{{- $variables := omit .variables "notes" "image" "hosts" }}
{{- range $key := keys $variables | sortAlpha }}
{{- $value := get $variables $key }}
  - key: {{ $key }}
    category: terraform
    {{- if or (kindIs "slice" $value) (kindIs "map" $value) }}
    hcl: true
    value: {{ toJson $value | squote }}
    {{- else if kindIs "bool" $value }}
    value: "{{ $value }}"
    {{- else }}
    value: {{ $value | toString | quote }}
    {{- end }}
{{- end }}
  - key: NODES
    category: env
    value: {{ printf "%04.0f" .resource.config.nodes | squote }}
    sensitive: {{ not .variables.debug }}
{{- with .variables.tags }}
tags: {{ . }}
{{- else }}
tags: [{{ .version.tag | regexFind "^v[0-9]+" }}, {{ .release.createdAt | trunc 10 }}]
{{- end }}
missing: {{ .variables.nothing.here }}
"""

WORKSPACE_RENDERED = """\
name: payments-api-europe-west1-prod-1
description: "Payments API to Production (v2.14.0)"
project: Gold
execution_mode: remote
auto_apply: false
terraform_version: 1.9.8
working_directory: stacks/payments_api
trigger_patterns:
  - stacks/**/*.tf
  - modules/**/*.tf
vcs_repo:
  identifier: acme/terraform
  branch: main
variables:
  - key: cpu
    category: terraform
    value: "0.5"
  - key: debug
    category: terraform
    value: "false"
  - key: feature_flags
    category: terraform
    hcl: true
    value: '["fast-refund","sepa"]'
  - key: limit_bytes
    category: terraform
    value: "2147483648"
  - key: replicas
    category: terraform
    value: "3"
  - key: NODES
    category: env
    value: '0012'
    sensitive: true
tags: [v2, 2026-03-01]
missing: <no value>
"""
