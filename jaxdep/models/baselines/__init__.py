"""Baselines that papers compare with: methods of scikit-learn, and networks of other papers."""

from jaxdep.models.baselines.bert import BERT
from jaxdep.models.baselines.bigru import BiGRU
from jaxdep.models.baselines.blstm import BLSTM
from jaxdep.models.baselines.dcnn import DCNN
from jaxdep.models.baselines.depression_detector import DepressionDetector
from jaxdep.models.baselines.feature_fusion import FeatureFusion
from jaxdep.models.baselines.features import feature_columns
from jaxdep.models.baselines.han import HAN
from jaxdep.models.baselines.knn_fusion import KNNFusion
from jaxdep.models.baselines.logistic_regression import LogisticRegression
from jaxdep.models.baselines.mha_bilstm import MHABiLSTM
from jaxdep.models.baselines.mult import MulT
from jaxdep.models.baselines.random_forest import RandomForest
from jaxdep.models.baselines.rcnn import RCNN
from jaxdep.models.baselines.svm import SVM
from jaxdep.models.baselines.tamfn import TAMFN
from jaxdep.models.baselines.tfn import TFN

__all__ = [
    "BERT",
    "BLSTM",
    "DCNN",
    "HAN",
    "RCNN",
    "SVM",
    "TAMFN",
    "TFN",
    "BiGRU",
    "DepressionDetector",
    "FeatureFusion",
    "KNNFusion",
    "LogisticRegression",
    "MHABiLSTM",
    "MulT",
    "RandomForest",
    "feature_columns",
]
