"""The GraphQL documents of the client, one constant each; `DOCUMENTS` has them all by name.

A union's members are asked for by name, and each of the errors that Dagster has for a field by the interface `Error`
or by `__typename` alone: a kind of error that a newer Dagster adds is then still told.
"""

from __future__ import annotations

WORKSPACE = """
query FloeWorkspace {
  workspaceOrError {
    __typename
    ... on Workspace {
      locationEntries {
        name
        loadStatus
        locationOrLoadError {
          __typename
          ... on RepositoryLocation { repositories { name } }
          ... on PythonError { message causes { message } }
        }
      }
    }
    ... on Error { message }
  }
}
"""

REPOSITORIES = """
query FloeRepositories {
  repositoriesOrError {
    __typename
    ... on RepositoryConnection { nodes { name location { name } } }
    ... on Error { message }
  }
}
"""

DAEMONS = """
query FloeDaemons {
  instance {
    daemonHealth {
      allDaemonStatuses { daemonType required healthy lastHeartbeatErrors { message } }
    }
  }
}
"""

_RUN = """
fragment FloeRun on Run {
  id
  jobName
  status
  startTime
  endTime
  tags { key value }
  repositoryOrigin { repositoryLocationName }
}
"""

LAUNCH = (
    """
mutation FloeLaunch($parameters: ExecutionParams!) {
  launchRun(executionParams: $parameters) {
    __typename
    ... on LaunchRunSuccess { run { ...FloeRun } }
    ... on RunConfigValidationInvalid { errors { message } }
    ... on Error { message }
  }
}
"""
    + _RUN
)

RUN = (
    """
query FloeRun($run: ID!) {
  runOrError(runId: $run) {
    __typename
    ... on Run { ...FloeRun }
    ... on Error { message }
  }
}
"""
    + _RUN
)

RUNS = (
    """
query FloeRuns($filter: RunsFilter, $limit: Int) {
  runsOrError(filter: $filter, limit: $limit) {
    __typename
    ... on Runs { results { ...FloeRun } }
    ... on Error { message }
  }
}
"""
    + _RUN
)

_METADATA = """
fragment FloeMetadata on MetadataEntry {
  __typename
  label
  ... on IntMetadataEntry { intRepr }
  ... on FloatMetadataEntry { floatValue }
  ... on BoolMetadataEntry { boolValue }
  ... on TextMetadataEntry { text }
  ... on MarkdownMetadataEntry { mdStr }
  ... on JsonMetadataEntry { jsonString }
  ... on PathMetadataEntry { path }
  ... on UrlMetadataEntry { url }
  ... on TimestampMetadataEntry { timestamp }
}
"""

EVENTS = (
    """
query FloeEvents($run: ID!, $after: String, $limit: Int) {
  logsForRun(runId: $run, afterCursor: $after, limit: $limit) {
    __typename
    ... on EventConnection {
      cursor
      hasMore
      events {
        __typename
        ... on ExecutionStepFailureEvent { stepKey error { ...FloeCause } }
        ... on RunFailureEvent { message error { ...FloeCause } }
        ... on RunCanceledEvent { message error { ...FloeCause } }
        ... on LogsCapturedEvent { fileKey stepKeys }
        ... on MaterializationEvent { runId stepKey assetKey { path } metadataEntries { ...FloeMetadata } }
        ... on AssetCheckEvaluationEvent {
          evaluation { checkName assetKey { path } success severity metadataEntries { ...FloeMetadata } }
        }
      }
    }
    ... on Error { message }
  }
}

fragment FloeCause on PythonError { message causes { message } }
"""
    + _METADATA
)

STEP_LOGS = """
query FloeStepLogs($key: [String!]!) {
  capturedLogs(logKey: $key) { stdout stderr }
}
"""

TERMINATE = """
mutation FloeTerminate($runs: [String!]!) {
  terminateRuns(runIds: $runs, terminatePolicy: MARK_AS_CANCELED_IMMEDIATELY) {
    __typename
    ... on TerminateRunsResult {
      terminateRunResults {
        __typename
        ... on TerminateRunSuccess { run { id } }
        ... on Error { message }
      }
    }
    ... on Error { message }
  }
}
"""

ASSETS = """
query FloeAssets {
  assetNodes {
    assetKey { path }
    groupName
    kinds
    jobNames
    dependencyKeys { path }
    repository { name location { name } }
    assetChecksOrError { __typename ... on AssetChecks { checks { name } } }
  }
}
"""

_STATE = """
fragment FloeState on InstigationState {
  id
  status
  ticks(limit: $ticks) {
    status
    timestamp
    runIds
    skipReason
    error { message causes { message } }
  }
}
"""

SCHEDULES = (
    """
query FloeSchedules($repository: RepositorySelector!, $ticks: Int!) {
  schedulesOrError(repositorySelector: $repository) {
    __typename
    ... on Schedules {
      results { name cronSchedule executionTimezone pipelineName scheduleState { ...FloeState } }
    }
    ... on Error { message }
  }
}
"""
    + _STATE
)

SENSORS = (
    """
query FloeSensors($repository: RepositorySelector!, $ticks: Int!) {
  sensorsOrError(repositorySelector: $repository) {
    __typename
    ... on Sensors {
      results { name minIntervalSeconds targets { pipelineName } sensorState { ...FloeState } }
    }
    ... on Error { message }
  }
}
"""
    + _STATE
)

START_SENSOR = """
mutation FloeStartSensor($selector: SensorSelector!) {
  startSensor(sensorSelector: $selector) {
    __typename
    ... on Sensor { sensorState { status } }
    ... on Error { message }
  }
}
"""

STOP_SENSOR = """
mutation FloeStopSensor($id: String!) {
  stopSensor(id: $id) {
    __typename
    ... on StopSensorMutationResult { instigationState { status } }
    ... on Error { message }
  }
}
"""

SET_CURSOR = """
mutation FloeSetCursor($selector: SensorSelector!, $cursor: String) {
  setSensorCursor(sensorSelector: $selector, cursor: $cursor) {
    __typename
    ... on Sensor { sensorState { status } }
    ... on Error { message }
  }
}
"""

START_SCHEDULE = """
mutation FloeStartSchedule($selector: ScheduleSelector!) {
  startSchedule(scheduleSelector: $selector) {
    __typename
    ... on ScheduleStateResult { scheduleState { status } }
    ... on Error { message }
  }
}
"""

STOP_SCHEDULE = """
mutation FloeStopSchedule($id: String!) {
  stopRunningSchedule(id: $id) {
    __typename
    ... on ScheduleStateResult { scheduleState { status } }
    ... on Error { message }
  }
}
"""

DRY_SENSOR = """
mutation FloeDrySensor($selector: SensorSelector!, $cursor: String) {
  sensorDryRun(selectorData: $selector, cursor: $cursor) {
    __typename
    ... on DryRunInstigationTick {
      evaluationResult {
        skipReason
        cursor
        runRequests { runKey }
        error { message causes { message } }
      }
    }
    ... on Error { message }
  }
}
"""

DOCUMENTS = {
    "workspace": WORKSPACE,
    "repositories": REPOSITORIES,
    "daemons": DAEMONS,
    "launch": LAUNCH,
    "run": RUN,
    "runs": RUNS,
    "events": EVENTS,
    "step logs": STEP_LOGS,
    "terminate": TERMINATE,
    "assets": ASSETS,
    "schedules": SCHEDULES,
    "sensors": SENSORS,
    "start sensor": START_SENSOR,
    "stop sensor": STOP_SENSOR,
    "set cursor": SET_CURSOR,
    "start schedule": START_SCHEDULE,
    "stop schedule": STOP_SCHEDULE,
    "dry sensor": DRY_SENSOR,
}
