#include "store-agent/tables/table_store.h"

#include "base/codec.h"
#include "base/cover.h"
#include "store-agent/tables/customer_key.h"
#include "store-agent/tables/row_key.h"
#include "store-agent/tables/schema_change.h"
#include "store-agent/tables/store_key.h"
#include "store-agent/tables/table_store_state.h"

namespace aisle {
namespace {

constexpr std::string_view kMetaFamily = "meta";
constexpr std::string_view kScratchFamily = "scratch";
constexpr std::string_view kSchemaPrefix = "schema/";
constexpr std::string_view kRowsPrefix = "rows/";
constexpr std::string_view kKeyCheck = "key-check";
constexpr std::string_view kKeyCheckText = "aisle/store-key-check/v1";

std::string FamilyOf(const TableName& table) { return "table/" + table.str(); }
std::string MetaKey(std::string_view prefix, const TableName& table) { return std::string(prefix) + table.str(); }

KeyValueOptions DatabaseOptions(const Schema& declared) {
  KeyValueOptions options;
  options.families = {std::string(kMetaFamily), std::string(kScratchFamily)};
  for (const TableSchema& table : declared.tables) options.families.push_back(FamilyOf(table.name));
  options.block_cache_size = TableStore::kBlockCacheSize;
  options.write_buffer_size = TableStore::kWriteBufferSize;
  options.write_buffers_total = TableStore::kWriteBuffersTotal;
  options.compress = false;
  return options;
}

// The key of this store, made at the first start and known again by a sealed text afterwards.
StatusOr<SecretBytes> KeyOf(KeyValueStore& database, Family meta, const std::string& path, RandomSource& random) {
  AISLE_ASSIGN_OR_RETURN(const std::optional<std::string> check, database.Get(meta, kKeyCheck));
  AISLE_ASSIGN_OR_RETURN(SecretBytes key, LoadStoreKey(path, !check.has_value(), random));
  const Aead aead(HkdfSha256(key, "", "aisle/store-key-check", Aead::kKeySize));
  if (check) {
    if (aead.Open(*check, kKeyCheckText).ok()) return key;
    return FailedPrecondition("the store key {} isn't the one that the rows beside it are sealed under", path);
  }
  AISLE_RETURN_IF_ERROR(database.Put(meta, kKeyCheck, aead.Seal("", kKeyCheckText, random), Durability::kSynced));
  AISLE_COVER("commit.key_check.after");
  return key;
}

StatusOr<uint64_t> StoredRowCount(const TableStoreState& state, const TableName& table) {
  AISLE_ASSIGN_OR_RETURN(const std::optional<std::string> stored,
                         state.database->Get(state.meta, MetaKey(kRowsPrefix, table)));
  if (!stored) return uint64_t{0};
  ByteReader reader(*stored);
  const uint64_t rows = reader.U64();
  AISLE_RETURN_IF_ERROR(reader.Finish("a row count"));
  return rows;
}

Status AddTable(TableStoreState& state, const TableSchema& schema, bool retired, const SecretBytes& key) {
  const std::string domain = "aisle/table/" + schema.name.str();
  TableState table;
  table.schema = schema;
  table.family = state.database->FamilyNamed(FamilyOf(schema.name));
  table.value_key = HkdfSha256(key, "", domain + "/values", Aead::kKeySize);
  table.identity_key = HkdfSha256(key, "", domain + "/identities", 32);
  table.retired = retired;
  AISLE_ASSIGN_OR_RETURN(table.rows, StoredRowCount(state, schema.name));
  state.tables.emplace(schema.name, std::move(table));
  return OkStatus();
}

// Every table there is a record of, as it is from now on; the declared ones reconciled with their record.
Status AddStoredTables(TableStoreState& state, const Schema& declared, const SecretBytes& key, WriteBatch& changes) {
  Cursor record = state.database->Prefix(state.meta, kSchemaPrefix);
  for (; record.Valid(); record.Next()) {
    AISLE_ASSIGN_OR_RETURN(TableSchema schema, DecodeSchema(record.value()));
    const TableSchema* now = declared.Find(schema.name);
    if (now != nullptr) {
      AISLE_ASSIGN_OR_RETURN(const uint64_t rows, StoredRowCount(state, schema.name));
      AISLE_ASSIGN_OR_RETURN(schema, Reconcile(schema, *now, rows));
      changes.Put(state.meta, record.key(), EncodeSchema(schema));
    }
    AISLE_RETURN_IF_ERROR(AddTable(state, schema, now == nullptr, key));
  }
  return record.status();
}

Status AddTables(TableStoreState& state, const Schema& declared, const SecretBytes& key) {
  WriteBatch changes;
  AISLE_RETURN_IF_ERROR(AddStoredTables(state, declared, key, changes));
  for (const TableSchema& schema : declared.tables) {
    if (state.tables.contains(schema.name)) continue;
    changes.Put(state.meta, MetaKey(kSchemaPrefix, schema.name), EncodeSchema(schema));
    AISLE_RETURN_IF_ERROR(AddTable(state, schema, false, key));
  }
  changes.DeleteRange(state.scratch, "", std::string(64, '\xff'));
  return state.database->Write(changes, Durability::kSynced);
}

}  // namespace

std::string TableState::AssociatedWith(std::string_view row_key) const {
  std::string associated = "aisle/row/" + schema.name.str();
  associated += '\0';
  return associated.append(row_key);
}

StatusOr<TableState*> TableStoreState::Declared(const TableName& table) {
  const auto found = tables.find(table);
  if (found == tables.end() || found->second.retired) return NotFound("no table is called \"{}\" here", table);
  return &found->second;
}

void TableStoreState::PutRowCount(const TableState& table, uint64_t rows, WriteBatch& batch) const {
  batch.Put(meta, MetaKey(kRowsPrefix, table.schema.name), ByteWriter().U64(rows).bytes());
}

TableStore::TableStore(std::unique_ptr<TableStoreState> state) : state_(std::move(state)) {}
TableStore::~TableStore() = default;

StatusOr<std::unique_ptr<TableStore>> TableStore::Open(const std::string& folder, const Schema& declared,
                                                       RandomSource& random) {
  auto state = std::make_unique<TableStoreState>();
  AISLE_ASSIGN_OR_RETURN(state->database, KeyValueStore::Open(folder + "/rows", DatabaseOptions(declared)));
  state->meta = state->database->FamilyNamed(kMetaFamily);
  state->scratch = state->database->FamilyNamed(kScratchFamily);
  AISLE_ASSIGN_OR_RETURN(const SecretBytes key, KeyOf(*state->database, state->meta, folder + "/store.key", random));
  state->nonces = std::make_unique<AesCtrStream>(DrawKey(random), "row-nonces");
  AISLE_RETURN_IF_ERROR(AddTables(*state, declared, key));
  AISLE_RETURN_IF_ERROR(state->MakeGood());
  AISLE_RETURN_IF_ERROR(SetCustomerKey(folder, key, random, *state));
  return std::unique_ptr<TableStore>(new TableStore(std::move(state)));
}

Status TableStore::DropTable(const std::string& folder, const TableName& table) {
  AISLE_ASSIGN_OR_RETURN(const auto database, KeyValueStore::Open(folder + "/rows", DatabaseOptions({})));
  const Family meta = database->FamilyNamed(kMetaFamily);
  AISLE_ASSIGN_OR_RETURN(const bool known, database->Contains(meta, MetaKey(kSchemaPrefix, table)));
  if (!known) return NotFound("no table is called \"{}\" in {}", table, folder);
  const Family rows = database->FamilyNamed(FamilyOf(table));
  WriteBatch batch;
  batch.Delete(meta, MetaKey(kSchemaPrefix, table)).Delete(meta, MetaKey(kRowsPrefix, table));
  batch.DeleteRange(rows, "", std::string(1, '\xff'));
  AISLE_RETURN_IF_ERROR(database->Write(batch, Durability::kSynced));
  return database->DropFamily(FamilyOf(table));
}

std::vector<TableName> TableStore::tables() const {
  std::vector<TableName> names;
  for (const auto& [name, table] : state_->tables) {
    if (!table.retired) names.push_back(name);
  }
  return names;
}

StatusOr<const TableSchema*> TableStore::SchemaOf(const TableName& table) const {
  AISLE_ASSIGN_OR_RETURN(const TableState* found, state_->Declared(table));
  return &found->schema;
}

StatusOr<uint64_t> TableStore::RowCount(const TableName& table) const {
  AISLE_ASSIGN_OR_RETURN(const TableState* found, state_->Declared(table));
  const std::lock_guard lock(state_->mutex);
  return found->rows;
}

}  // namespace aisle
