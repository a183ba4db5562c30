#include "store-agent/worker/operators.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <utility>

namespace aisle {

namespace {

// Of LibTorch 1.13's 1,590 names under aten::, in the alphabet's order. aten::batch_norm has conditions of its own
// (check.cc).
constexpr std::string_view kTensorOperators = R"(
Bool Complex Delete Float FloatImplicit Int IntImplicit ScalarImplicit Size __and__ __contains__ __derive_index
__getitem__ __iand__ __ior__ __is__ __isnot__ __ixor__ __lshift__ __not__ __or__ __range_length
__round_to_zero_floordiv __rshift__ __xor__ _convolution _infer_size _log_softmax _no_grad_embedding_renorm_
_pack_padded_sequence _pad_packed_sequence _set_item _shape_as_tensor _softmax _tensor_to_list _unique2
_upsample_bilinear2d_aa abs absolute acos acosh adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d
adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d add addbmm addcdiv addcmul addmm addmv addr adjoint alias
all allclose alpha_dropout amax amin aminmax angle any append arange arccos arccosh arcsin arcsinh arctan arctan2
arctanh argmax argmin argsort argwhere as_tensor asin asinh atan atan2 atanh atleast_1d atleast_2d atleast_3d
avg_pool1d avg_pool2d avg_pool3d baddbmm batch_norm bernoulli bilinear binary_cross_entropy
binary_cross_entropy_with_logits bincount binomial bitwise_and bitwise_left_shift bitwise_not bitwise_or
bitwise_right_shift bitwise_xor block_diag bmm broadcast_tensors broadcast_to bucketize cartesian_prod cat cauchy
cdist ceil celu channel_shuffle chunk clamp clamp_max clamp_min clear clip clone col2im column_stack combinations
complex concat concatenate conj conj_physical_ constant_pad_nd contiguous conv1d conv2d conv3d conv_transpose1d
conv_transpose2d conv_transpose3d convolution copy copysign corrcoef cos cosh cosine_embedding_loss cosine_similarity
count count_nonzero cov cross cross_entropy_loss ctc_loss cummax cummin cumprod cumsum cumulative_trapezoid deg2rad
det detach device diag diag_embed diagflat diagonal diagonal_scatter dict diff digamma dim dist div divide divmod dot
dropout dsplit dstack einsum elu embedding embedding_bag eq equal erf erfc erfinv exp exp2 expand expand_as expm1
exponential extend eye fabs factorial feature_alpha_dropout feature_dropout fft_fft fft_fft2 fft_fftfreq fft_fftn
fft_fftshift fft_hfft fft_hfft2 fft_hfftn fft_ifft fft_ifft2 fft_ifftn fft_ifftshift fft_ihfft fft_ihfft2 fft_ihfftn
fft_irfft fft_irfft2 fft_irfftn fft_rfft fft_rfft2 fft_rfftfreq fft_rfftn fill fill_diagonal_ fix flatten flip fliplr
flipud float_power floor floor_divide floordiv fmax fmin fmod format frac frexp frobenius_norm full full_like gamma
gather gcd ge gelu geometric ger get glu gradient greater greater_equal grid_sampler grid_sampler_2d grid_sampler_3d
group_norm gru gru_cell gt hann_window hardshrink hardsigmoid hardswish hardtanh heaviside hinge_embedding_loss histc
histogram hsplit hstack huber_loss hypot i0 igamma igammac im2col imag index index_add index_copy index_fill index_put
index_reduce index_select inner insert instance_norm inverse is_complex is_contiguous is_floating_point
is_grad_enabled is_nonzero is_scripting is_signed isclose isfinite isin isinf isnan isneginf isposinf isreal istft
item items keys kl_div kron kthvalue l1_loss layer_norm lcm ldexp le leaky_relu len lerp less less_equal lgamma
linalg_cholesky linalg_cholesky_ex linalg_cond linalg_cross linalg_det linalg_diagonal linalg_eig linalg_eigh
linalg_eigvals linalg_eigvalsh linalg_householder_product linalg_inv linalg_inv_ex linalg_lstsq linalg_lu
linalg_lu_factor linalg_lu_factor_ex linalg_lu_solve linalg_matmul linalg_matrix_exp linalg_matrix_norm
linalg_matrix_power linalg_matrix_rank linalg_multi_dot linalg_norm linalg_pinv linalg_qr linalg_slogdet linalg_solve
linalg_solve_ex linalg_solve_triangular linalg_svd linalg_svdvals linalg_tensorinv linalg_tensorsolve linalg_vander
linalg_vecdot linalg_vector_norm linear linspace list log log10 log1p log2 log_normal log_sigmoid log_sigmoid_forward
log_softmax logaddexp logaddexp2 logcumsumexp logdet logical_and logical_not logical_or logical_xor logit logspace
logsumexp lstm lstm_cell lt mH mT margin_ranking_loss masked_fill masked_scatter masked_select matmul matrix_H
matrix_exp matrix_power max max_pool1d max_pool1d_with_indices max_pool2d max_pool2d_with_indices max_pool3d
max_pool3d_with_indices maximum mean median meshgrid min minimum mish mm mode moveaxis movedim mse_loss msort mul
multi_margin_loss multilabel_margin_loss multilabel_margin_loss_forward multinomial multiply mv mvlgamma nan_to_num
nanmean nanmedian nanquantile nansum narrow native_channel_shuffle native_dropout native_group_norm native_layer_norm
ne neg negative new_full new_ones new_zeros nextafter nll_loss nll_loss2d nll_loss2d_forward nll_loss_forward
nll_loss_nd nonzero norm normal not_equal numel one_hot ones ones_like outer pad pad_sequence pairwise_distance pdist
permute pinverse pixel_shuffle pixel_unshuffle poisson poisson_nll_loss polar polygamma pop popitem positive pow prelu
prod put qr quantile rad2deg rand rand_like randint randint_like randn randn_like random_ randperm range ravel real
reciprocal reflection_pad1d reflection_pad2d reflection_pad3d relu relu6 remainder remove renorm repeat
repeat_interleave replication_pad1d replication_pad2d replication_pad3d reshape reshape_as result_type reverse
rnn_relu rnn_relu_cell rnn_tanh rnn_tanh_cell roll rot90 round row_stack rrelu rrelu_with_noise rsqrt rsub
scalar_tensor scatter scatter_add scatter_reduce searchsorted select select_scatter selu setdefault sgn sigmoid sign
signbit silu sin sinc sinh size slice slice_scatter slogdet smooth_l1_loss soft_margin_loss softmax softplus
softshrink sort sorted special_entr special_erf special_erfc special_erfcx special_erfinv special_exp2 special_expit
special_expm1 special_gammainc special_gammaincc special_gammaln special_i0 special_i0e special_i1 special_i1e
special_log1p special_log_ndtr special_log_softmax special_logit special_logsumexp special_ndtr special_ndtri
special_polygamma special_psi special_round special_sinc special_softmax special_xlog1py special_xlogy special_zeta
split split_with_sizes sqrt square squeeze stack std std_mean stft str stride sub subtract sum sum_to_size svd
swapaxes swapdims t take take_along_dim tan tanh tensor tensor_split tensordot threshold tile to topk trace transpose
trapezoid trapz tril tril_indices triplet_margin_loss triu triu_indices true_divide trunc type_as unbind unflatten
unfold uniform unique_consecutive unique_dim unique_dim_consecutive unsafe_chunk unsafe_split unsafe_split_with_sizes
unsqueeze update upsample_bicubic2d upsample_bilinear2d upsample_linear1d upsample_nearest1d upsample_nearest2d
upsample_nearest3d upsample_trilinear3d values vander var var_mean vdot view view_as view_as_complex view_as_real
vsplit vstack warn where xlogy zero zeros zeros_like
)";

constexpr std::string_view kLanguageOperators = R"(
Constant ConstantChunk DictConstruct GetAttr If ListConstruct ListUnpack Loop NumToTensor RaiseException StringIndex
TupleConstruct TupleIndex TupleSlice TupleUnpack Uninitialized abs device dtype index is_cpu is_cuda is_sparse isinstance
layout max min rangelist requires_grad tolist type unchecked_cast unchecked_unwrap_optional
)";

constexpr auto kHints = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"prim::Print", "return it as a metric instead"},
    {"prim::SetAttr", "a plan keeps no state between calls"},
    {"prim::CallMethod", "the method can't be known before it runs"},
    {"prim::CreateObject", "use dictionaries and tuples instead of classes"},
    {"aten::empty", "use torch.zeros"},
    {"aten::empty_like", "use torch.zeros_like"},
    {"aten::new_empty", "use new_zeros"},
    {"aten::manual_seed", "the task's seed is set for you"},
    {"aten::backward", "the worker differentiates loss() itself"},
    {"aten::from_file", "a plan sees its tables and nothing else"},
    {"aten::save", "a plan returns tensors and writes nothing"},
    {"aten::native_batch_norm", "batch statistics mix examples; use group_norm or layer_norm"},
});

std::set<std::string, std::less<>> Split(std::string_view prefix, std::string_view words) {
  std::set<std::string, std::less<>> names;
  for (size_t at = 0; (at = words.find_first_not_of(" \n", at)) != std::string_view::npos;) {
    const size_t end = std::min(words.find_first_of(" \n", at), words.size());
    names.insert(std::string(prefix).append(words.substr(at, end - at)));
    at = end;
  }
  return names;
}

const std::set<std::string, std::less<>>& Allowed() {
  static const auto names = [] {
    auto all = Split("aten::", kTensorOperators);
    all.merge(Split("prim::", kLanguageOperators));
    return all;
  }();
  return names;
}

}  // namespace

bool IsAllowedOperator(std::string_view name) {
  if (Allowed().contains(name)) return true;
  return name.starts_with("aten::") && name.ends_with('_') && !name.ends_with("__") &&
         Allowed().contains(name.substr(0, name.size() - 1));
}

std::string_view HintFor(std::string_view name) {
  const auto found = std::ranges::find(kHints, name, &std::pair<std::string_view, std::string_view>::first);
  return found == kHints.end() ? "" : found->second;
}

}  // namespace aisle
