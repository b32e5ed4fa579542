"""MMD2023: clinical interviews in Chinese, as the code that SMFL's authors published reads them."""
