// The coordinator's records as the Admin calls show them.
#pragma once

#include "aisle/v1/admin.pb.h"
#include "coordinator/driver/coordinator.h"

namespace aisle {

// `plan` may be null: then what the plan says is left out.
v1::Job JobView(const JobRecord& record, const JobPlan* plan, const Coordinator& coordinator);
// The same with the job's plan, read from its blob if the job has ended.
v1::Job JobView(const JobRecord& record, const Coordinator& coordinator);
v1::Round RoundView(const RoundRecord& record, bool with_stores);
v1::Store StoreView(const StoreRecord& record);
v1::Model ModelView(const ModelRecord& record);

// The job now, active or ended. NotFound if there is none.
StatusOr<JobRecord> FindJobRecord(const Coordinator& coordinator, const JobId& job);
// The round as it stands this moment, also while it is open.
StatusOr<RoundRecord> FindRoundRecord(const Coordinator& coordinator, const RoundId& round);
StatusOr<v1::JobSnapshot> SnapshotOf(const Coordinator& coordinator, const JobId& job);

}  // namespace aisle
